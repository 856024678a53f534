-- title: Rows that are gone, as they were
-- key: removed_at desc, table_name, device_id, old_row
-- description: One row for each row that was removed from a tracked table and is kept in history, each time it was
--   removed, with what was in it. The view changes tells all else that changed.
-- column: removed_at | When the pass that no longer found the row began, UTC.
-- column: table_name | Table the row was in.
-- column: device_id | Device the row belonged to; NULL in tables that are not about devices.
-- column: old_row | JSON object of its columns that were not NULL, all values as text: old_row ->> '$.serial_number'.
-- ask: Which devices left, as they were | SELECT removed_at, old_row ->> '$.serial_number' AS serial_number, old_row
--   ->> '$.device_name' AS device_name FROM removed_rows WHERE table_name = 'devices'
SELECT
    e.changed_at AS removed_at,
    e.table_name,
    CASE WHEN t.keys[1] = 'device_id' THEN e.first_key END AS device_id,
    to_json(
        map_from_entries(
            list_transform(
                json_keys(e.old),
                lambda name: {'key': name, 'value': json_extract_string(e.old, '$."' || name || '"[0]')}
            )
        )
    ) AS old_row
FROM internal.events AS e
JOIN internal.tracked AS t USING (table_name)
WHERE e.change = 'removed';
