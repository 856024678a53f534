-- title: Devices without recent contact
-- description: Devices that have not checked in for more than a number of days, those that never did included. Devices
--   marked missing or removed are listed with these flags.
-- param: days int = 7 [0, 3650] | Days without contact.
SELECT
    device_id,
    device_name,
    serial_number,
    platform,
    os_version,
    last_check_in,
    date_diff('day', last_check_in, (now() AT TIME ZONE 'UTC')) AS days_since,
    user_name,
    user_email,
    blueprint_name,
    is_missing,
    is_removed
FROM devices
WHERE coalesce(last_check_in < (now() AT TIME ZONE 'UTC') - to_days($days::INTEGER), true)
ORDER BY last_check_in NULLS FIRST, device_name, device_id;
