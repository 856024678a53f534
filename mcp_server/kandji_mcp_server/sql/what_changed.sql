-- title: Changes
-- description: Newest first.
SELECT changed_at, device_name, serial_number, table_name, change, column_name, old_value, new_value, row_key
FROM changes
WHERE
    changed_at >= $since
    AND changed_at < $until
    AND ($device IS NULL OR device_id = $device)
    AND ($table IS NULL OR table_name = $table)
ORDER BY changed_at DESC, table_name, device_name, row_key::VARCHAR, column_name
LIMIT 1000;
