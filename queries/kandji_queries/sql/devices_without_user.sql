-- title: Devices without a person
-- description: Devices to which no user is assigned. Devices marked missing or removed are listed with these flags.
-- counts: devices
SELECT
    d.device_id,
    d.device_name,
    d.serial_number,
    d.platform,
    d.model,
    d.os_version,
    d.asset_tag,
    d.blueprint_name,
    d.first_enrollment,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM devices AS d
WHERE d.user_id IS NULL AND d.user_email IS NULL AND d.user_name IS NULL
ORDER BY d.platform, d.device_name, d.device_id;
