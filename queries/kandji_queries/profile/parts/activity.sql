-- title: What happened to it, newest first
-- description: As the provider keeps it; refresh with the device reads the newest.
-- most: 15
-- column: created_at | When
-- column: action_type | What
-- column: command_type | Command
SELECT created_at, action_type, details ->> '$.command_type' AS command_type, user_name, left(details::VARCHAR, 160) AS details
FROM device_activity
WHERE device_id = $device_id
ORDER BY created_at DESC, id DESC;
