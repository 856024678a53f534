-- title: Devices that are gone
-- description: The one removed last of those with that identifier, serial number or name.
SELECT device_id
FROM removed_rows
WHERE
    table_name = 'devices'
    AND (
        folded_id($device) IN (folded_id(device_id), folded_id(old_row ->> '$.serial_number'))
        OR folded(old_row ->> '$.device_name') = folded($device)
    )
ORDER BY removed_at DESC
LIMIT 1;
