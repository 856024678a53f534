-- title: What changed, one row a change
-- key: changed_at desc, table_name, row_key, column_name
-- description: Every change of the tracked tables that is kept: rows that came and went, and for changed rows each
--   column with its old and new value. Columns that move at every collection, such as updated_at, make no change. The
--   view changes_by_thing tells them as people do, each once. How a whole table was at a moment tells
--   <table>_as_of(moment), as in FROM devices_as_of('2026-11-20 12:00').
-- column: changed_at | When the pass that saw the change began, UTC.
-- column: table_name | Table the row belongs to.
-- column: change | added, changed or removed.
-- column: device_id | Device the row belongs to; NULL in tables that are not about devices.
-- column: device_name | Name of the device now, or the last one it had before it was removed.
-- column: serial_number | Serial number of the device, also of a removed one.
-- column: row_key | JSON object of what tells the row from others in its table.
-- column: column_name | Column that changed; NULL where the whole row was added or removed.
-- column: old_value | Value before, as text.
-- column: new_value | Value after, as text.
-- ask: What changed on a device | SELECT changed_at, table_name, change, column_name, old_value, new_value FROM
--   changes WHERE serial_number = 'C02XYZ' ORDER BY changed_at DESC
WITH gone AS (
    SELECT
        first_key AS device_id,
        arg_max(json_extract_string(old, '$.device_name[0]'), changed_at) AS device_name,
        arg_max(json_extract_string(old, '$.serial_number[0]'), changed_at) AS serial_number
    FROM internal.events
    WHERE table_name = 'devices' AND change = 'removed'
    GROUP BY first_key
),
columns AS (
    SELECT
        e.* EXCLUDE (old, new),
        e.old,
        e.new,
        t.keys,
        CASE WHEN t.keys[1] = 'device_id' THEN e.first_key END AS device_id,
        list_zip(t.keys || t.fallbacks, [e.first_key] || from_json(e.other_keys, '["VARCHAR"]')) AS parts,
        unnest(CASE e.change WHEN 'changed' THEN json_keys(e.old) ELSE [NULL] END) AS column_name
    FROM internal.events AS e
    JOIN internal.tracked AS t USING (table_name)
)
SELECT
    c.changed_at,
    c.table_name,
    c.change,
    c.device_id,
    coalesce(d.device_name, g.device_name) AS device_name,
    coalesce(d.serial_number, g.serial_number) AS serial_number,
    to_json(map_from_entries(list_filter(c.parts, lambda part: part[2] IS NOT NULL))) AS row_key,
    c.column_name,
    json_extract_string(c.old, '$."' || c.column_name || '"[0]') AS old_value,
    json_extract_string(c.new, '$."' || c.column_name || '"[0]') AS new_value
FROM columns AS c
LEFT JOIN devices AS d ON d.device_id = c.device_id
LEFT JOIN gone AS g ON g.device_id = c.device_id;
