-- title: Devices that share a serial number, asset tag or name
-- description: Devices whose serial number, asset tag or name another device has too, letter case, accents, blanks and
--   hyphens in numbers aside: a machine listed twice, or two that are easily mixed up. One row a device and shared
--   value, those of one value together, the one that checked in last first; value is as that one has it, in small
--   letters. Devices marked missing or removed are listed with these flags.
-- counts: devices
-- column: shared | What they share: serial number, asset tag or name.
-- column: value | The shared value.
WITH shared AS (
    SELECT 1 AS place, 'serial number' AS shared, serial_number AS value, folded_id(serial_number) AS key, device_id
    FROM devices
    UNION ALL
    SELECT 2, 'asset tag', asset_tag, folded_id(asset_tag), device_id FROM devices
    UNION ALL
    SELECT 3, 'name', device_name, nullif(folded(device_name), ''), device_id FROM devices
)
SELECT
    s.shared,
    lower(first_value(s.value) OVER (PARTITION BY s.place, s.key ORDER BY d.last_check_in DESC NULLS LAST, d.device_id)) AS value,
    count(*) OVER (PARTITION BY s.place, s.key) AS devices,
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
WHERE s.key IS NOT NULL
QUALIFY devices > 1
ORDER BY s.place, s.key, d.last_check_in DESC NULLS LAST, d.device_id;
