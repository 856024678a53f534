-- title: MDM commands that still wait
-- description: Pending, running, or not now; the longest waiting first.
-- most: 10
-- column: date_requested | Ordered
-- column: status | State
-- column: command_type | Command
SELECT command_type, status_name AS status, date_requested, last_pushed, attempts
FROM device_commands
WHERE device_id = $device_id AND status NOT IN (3, 4)
ORDER BY date_requested, uuid;
