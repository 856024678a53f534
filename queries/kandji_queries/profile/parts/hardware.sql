-- title: Hardware
-- description: Measures of the machine, where they were read.
-- usual: yes
-- one: yes
-- column: processor | Processor
-- column: memory | Memory | | Mac
-- column: memory_bytes? | Memory | bytes | Windows, Android
-- column: disk_total_bytes | Disk | bytes
-- column: disk_free_bytes | Disk free | bytes
-- column: disk_free_percent | Share free | %
-- column: battery_health | Battery
-- column: uptime_days | Up for | days | Mac
SELECT
    f.processor,
    x.memory,
    f.memory_bytes,
    f.disk_total_bytes,
    f.disk_free_bytes,
    f.disk_free_percent,
    f.battery_health,
    f.uptime_days
FROM fleet AS f
LEFT JOIN device_details AS x USING (device_id)
WHERE f.device_id = $device_id;
