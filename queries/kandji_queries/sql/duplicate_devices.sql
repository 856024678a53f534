-- title: Devices that share a serial number, asset tag or name
-- description: Devices whose serial number, asset tag or name another device has too, letter case aside: a machine
--   listed twice, or two that are easily mixed up. One row a device and shared value, those of one value together, the
--   one that checked in last first. Devices marked missing or removed are listed with these flags.
WITH shared AS (
    SELECT 1 AS place, 'serial number' AS shared, lower(serial_number) AS value, device_id FROM devices
    UNION ALL
    SELECT 2, 'asset tag', lower(asset_tag), device_id FROM devices
    UNION ALL
    SELECT 3, 'name', lower(device_name), device_id FROM devices
)
SELECT
    s.shared,
    s.value,
    count(*) OVER (PARTITION BY s.place, s.value) AS devices,
    d.device_id,
    d.device_name,
    d.serial_number,
    d.asset_tag,
    d.platform,
    d.model,
    d.last_enrollment,
    d.user_name,
    d.user_email,
    d.blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM shared AS s
JOIN devices AS d USING (device_id)
WHERE s.value IS NOT NULL
QUALIFY devices > 1
ORDER BY s.place, s.value, d.last_check_in DESC NULLS LAST, d.device_id;
