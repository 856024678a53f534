-- title: Hardware
-- description: Measures of the machine, where they were read.
-- usual: yes
-- one: yes
-- column: processor_name | Processor | | Mac
-- column: memory | Memory | | Mac
-- column: capacity_gb | Disk | GB
-- column: disk_free_percent | Free disk | percent
-- column: battery_health | Battery
-- column: time_since_boot | Last start | | Mac
SELECT
    x.processor_name,
    x.memory,
    f.device_capacity AS capacity_gb,
    f.disk_free_percent,
    f.battery_health,
    x.time_since_boot
FROM fleet AS f
LEFT JOIN device_details AS x USING (device_id)
WHERE f.device_id = $device_id;
