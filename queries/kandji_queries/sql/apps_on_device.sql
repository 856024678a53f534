-- title: Apps on a device
-- description: Every app on a device, found by identifier, serial number, asset tag or whole name in any letter case;
--   only where there is none, by a part of its name, and then by its person. Of several all are listed, the one
--   that checked in last first: device_id tells them apart. One row with an empty app is a device of which no apps are mirrored.
-- param: device text | Identifier, serial number, asset tag, name, or part of a name, such as John's MacBook.
WITH meant AS (
    FROM (SELECT d.*, device_match($device, d) AS match FROM devices AS d)
    QUALIFY match = min(match) OVER ()
)
SELECT
    d.device_id,
    d.device_name,
    d.serial_number,
    a.name AS app,
    a.version,
    a.bundle_id,
    a.path,
    a.developer_name,
    a.obtained_from,
    a.last_collected_at,
    d.user_name,
    d.user_email,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM meant AS d
LEFT JOIN apps AS a USING (device_id)
ORDER BY d.last_check_in DESC NULLS LAST, d.device_name, d.device_id, a.name, a.bundle_id, a.path;
