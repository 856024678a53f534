-- title: Devices that are gone
-- description: The one removed last of those with that identifier, serial number or name.
SELECT device_id
FROM removed_rows
WHERE
    table_name = 'devices'
    AND lower($device) IN (
        lower(device_id), lower(old_row ->> '$.serial_number'), lower(old_row ->> '$.device_name')
    )
ORDER BY removed_at DESC
LIMIT 1;
