-- title: Macs that were not restarted for long
-- description: Macs whose last start is longer ago than some days, the longest first. The provider rounds the time (a
--   month is 30 days) and it is of the moment the details were read, one request a Mac; Macs whose details were not
--   read, or that do not say, are listed last where they are asked for. Macs marked missing or removed are listed with
--   these flags.
-- counts: devices
-- param: days int = 30 [0, 3650] | Days since the last start.
-- param: with_unknown bool = false | Whether Macs of unknown uptime are listed too.
-- nearest: days=0 uptime_days
SELECT
    d.device_id,
    d.device_name,
    d.serial_number,
    d.model,
    d.os_version,
    x.uptime_days,
    x.time_since_boot,
    x.last_user,
    d.user_name,
    d.user_email,
    d.blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM devices AS d
LEFT JOIN device_details AS x USING (device_id)
WHERE d.platform = 'Mac' AND coalesce(x.uptime_days >= $days, $with_unknown)
ORDER BY x.uptime_days DESC NULLS LAST, d.device_name, d.device_id;
