-- title: Hardware and disk
-- description: From the details of the device, where they were read.
-- one: yes
SELECT
    f.model_name,
    f.apple_silicon,
    f.device_capacity AS capacity_gb,
    f.battery_health,
    x.processor_name,
    x.memory,
    x.total_capacity,
    x.available_capacity
FROM fleet AS f
LEFT JOIN device_details AS x USING (device_id)
WHERE f.device_id = $device_id;
