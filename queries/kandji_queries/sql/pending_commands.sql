-- title: MDM commands that still wait
-- description: MDM commands that their device has not carried out yet, the longest waiting first: pending (not sent, or
--   not answered), running, or not now (the device will be asked again). A lock or an erase that is here has not
--   happened. As of the last reading of each device: `kandji-mirror sync --device` or the tool refresh reads one anew.
-- counts: devices
-- param: command text optional | Part of the command's type, such as lock.
SELECT
    c.date_requested,
    c.command_type,
    c.status_name AS status,
    c.attempts,
    c.last_pushed,
    c.device_id,
    d.device_name,
    d.serial_number,
    d.platform,
    d.user_name,
    d.user_email,
    d.last_check_in,
    d.is_missing,
    d.is_removed,
    c.uuid
FROM device_commands AS c
LEFT JOIN devices AS d USING (device_id)
WHERE
    c.status NOT IN (3, 4)
    AND ($command IS NULL OR contains(lower(c.command_type), lower(trim($command))))
ORDER BY c.date_requested NULLS FIRST, d.device_name, c.device_id, c.uuid;
