-- title: Last commands
-- description: MDM commands with their outcome, the newest first.
-- usual: yes
-- most: 4
-- column: date_requested | Ordered | | Mac, iPhone, iPad, AppleTV, Vision
-- column: status | Outcome | | Mac, iPhone, iPad, AppleTV, Vision
-- column: command_type | Command | | Mac, iPhone, iPad, AppleTV, Vision
SELECT
    date_requested,
    status_name AS status,
    command_type,
    date_completed,
    CASE WHEN json_array_length(error_chain) > 0 THEN left(error_chain::VARCHAR, 160) END AS error
FROM device_commands
WHERE device_id = $device_id
ORDER BY date_requested DESC NULLS LAST, uuid;
