-- title: Devices offline for some hours
-- description: Devices whose last check-in of any kind is longer ago than some hours, the longest silent first; those
--   that never checked in come first, with an empty time. Optionally of one blueprint only, by its whole name in any
--   letter case or its identifier: a blueprint that there is not has no devices. Devices marked missing or removed are
--   listed with these flags.
-- counts: devices
-- like: stale_devices
-- param: hours int = 48 [1, 87600] | Hours without contact.
-- param: blueprint text optional | Name or identifier of a blueprint, such as Engineering.
-- nearest: hours=1 last_check_in
-- column: hours_since_check_in | Hours since the last contact.
SELECT
    d.device_id,
    d.device_name,
    d.serial_number,
    d.platform,
    d.last_check_in,
    round(epoch((now() AT TIME ZONE 'UTC') - d.last_check_in) / 3600, 1) AS hours_since_check_in,
    d.user_name,
    d.user_email,
    d.blueprint_id,
    d.blueprint_name,
    d.is_missing,
    d.is_removed
FROM devices AS d
WHERE
    coalesce(d.last_check_in < (now() AT TIME ZONE 'UTC') - to_hours($hours::INTEGER), true)
    AND ($blueprint IS NULL OR folded(d.blueprint_name) = folded($blueprint) OR d.blueprint_id = $blueprint)
ORDER BY d.last_check_in NULLS FIRST, d.device_name, d.device_id;
