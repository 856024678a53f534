-- title: Apps
-- description: Names with include apps.
-- usual: yes
-- one: yes
-- column: apps | Apps
-- column: collected_at | Reported
SELECT nullif(count(*), 0) AS apps, max(last_collected_at) AS collected_at
FROM apps
WHERE device_id = $device_id;
