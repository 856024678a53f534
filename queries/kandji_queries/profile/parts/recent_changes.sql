-- title: Changes of the last 7 days
-- description: More of them tells the tool changes.
-- usual: yes
-- most: 8
-- column: changed_at | When
-- column: what | What
-- column: old_value | Before
-- column: new_value | After
SELECT
    changed_at,
    table_name,
    change,
    coalesce(
        column_name,
        coalesce(row_key ->> '$.name', row_key ->> '$.bundle_id', row_key ->> '$.profile_display_name', row_key ->> '$.user_name')
    ) AS what,
    left(old_value, 60) AS old_value,
    left(new_value, 60) AS new_value
FROM changes
WHERE device_id = $device_id AND changed_at >= (now() AT TIME ZONE 'UTC') - INTERVAL 7 DAYS
ORDER BY changed_at DESC, table_name, what;
