-- title: Devices enrolled lately
-- description: Devices first enrolled within the last days, newest first. Devices marked missing or removed are listed
--   with these flags.
-- counts: devices
-- param: days int = 7 [1, 3650] | Days back.
-- nearest: days=3650 first_enrollment
SELECT
    d.device_id,
    d.device_name,
    d.serial_number,
    d.platform,
    d.model,
    d.os_version,
    d.first_enrollment,
    d.user_name,
    d.user_email,
    d.blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM devices AS d
WHERE d.first_enrollment >= (now() AT TIME ZONE 'UTC') - to_days($days::INTEGER)
ORDER BY d.first_enrollment DESC, d.device_name, d.device_id;
