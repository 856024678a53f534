-- title: Devices by free disk space
-- description: Devices whose disk is nearly full: whose start volume has no more free space than some percent, the
--   fullest first; 100 lists all.
--   Space is as of when the details were read, one request a device; devices whose details were not read, or that do
--   not say, are listed last where they are asked for. Devices marked missing or removed are listed with these flags.
-- counts: devices
-- param: free_percent float = 10 [0, 100] | Free space in percent, at most.
-- param: platform enum(any, Mac, iPhone, iPad, AppleTV, Vision, Windows, Android) = any | Which devices.
-- param: with_unknown bool = false | Whether devices of unknown space are listed too.
-- nearest: free_percent=100 disk_free_percent
-- column: free_gb | Free space in GB, 10^9 bytes.
-- column: total_gb | Capacity of that volume in GB, 10^9 bytes.
SELECT
    d.device_id,
    d.device_name,
    d.serial_number,
    d.platform,
    d.model,
    x.disk_free_percent,
    round(x.disk_free_bytes / 1e9, 1) AS free_gb,
    round(x.disk_total_bytes / 1e9, 1) AS total_gb,
    d.user_name,
    d.user_email,
    d.blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM devices AS d
LEFT JOIN device_details AS x USING (device_id)
WHERE
    ($platform = 'any' OR d.platform = $platform)
    AND coalesce(x.disk_free_percent <= $free_percent, $with_unknown)
ORDER BY x.disk_free_percent NULLS LAST, x.disk_free_bytes, d.device_name, d.device_id;
