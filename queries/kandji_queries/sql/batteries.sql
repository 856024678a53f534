-- title: Batteries that need attention
-- description: Devices whose battery is reported as anything but normal; or with a health that is asked for, those. Of
--   charge cycles and capacity the provider says nothing; devices without a battery, or that did not report, are not
--   listed. Devices marked missing or removed are listed with these flags.
-- counts: devices
-- param: health text optional | Only batteries of this health, such as Normal or Service.
SELECT
    i.battery_health,
    d.device_id,
    d.device_name,
    d.serial_number,
    d.platform,
    d.model,
    i.last_collected_at,
    d.first_enrollment,
    d.user_name,
    d.user_email,
    d.blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM prism_device_information AS i
JOIN devices AS d USING (device_id)
WHERE
    folded(i.battery_health) = folded($health)
    OR ($health IS NULL AND folded(i.battery_health) NOT IN ('', 'normal', 'good', 'none', 'n/a'))
ORDER BY i.battery_health, d.device_name, d.device_id;
