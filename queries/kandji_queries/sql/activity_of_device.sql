-- title: What happened to a device
-- description: The activity the provider keeps of a device, newest first: enrollment, renaming, every MDM command that
--   was completed or failed, and so on. Empty also where it was not read yet: it takes a request a device; `kandji-mirror
--   sync --device` or the tool refresh reads it for one. The device is found by identifier, serial number, asset tag
--   or whole name in any letter case; only where there is none, by a part of its name, and then by its person. Of
--   several all are listed one after the other, the one that checked in last first: device_id tells them apart.
-- param: device text | Identifier, serial number, asset tag or name of the device.
-- column: command_type | Type of the MDM command, where it is about one.
WITH meant AS (
    FROM (SELECT d.*, device_match($device, d) AS match FROM devices AS d)
    QUALIFY match = min(match) OVER ()
)
SELECT
    a.created_at,
    a.action_type,
    a.details ->> '$.command_type' AS command_type,
    a.device_id,
    m.device_name,
    m.serial_number,
    a.user_name,
    a.user_email,
    a.blueprint_name,
    a.details,
    a.id,
    m.last_check_in,
    m.is_missing
FROM device_activity AS a
JOIN meant AS m USING (device_id)
ORDER BY m.last_check_in DESC NULLS LAST, m.device_id, a.created_at DESC NULLS LAST, a.id DESC;
