-- title: Devices without recent contact
-- description: Devices that have not checked in for more than a number of days, those that never did included; the
--   longest silent first. Optionally of one blueprint only, by its whole name in any letter case or its identifier.
--   Devices marked missing or removed are listed with these flags.
-- counts: devices
-- tells: days_since = never checked in
-- param: days int = 7 [0, 3650] | Days without contact.
-- param: blueprint text optional | Name or identifier of a blueprint, such as Engineering.
-- nearest: days=0 days_since
-- column: days_since | Days since the last contact.
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
WHERE
    coalesce(last_check_in < (now() AT TIME ZONE 'UTC') - to_days($days::INTEGER), true)
    AND ($blueprint IS NULL OR folded(blueprint_name) = folded($blueprint) OR blueprint_id = $blueprint)
ORDER BY last_check_in NULLS FIRST, device_name, device_id;
