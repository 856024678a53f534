-- title: What changed, as people tell it: one row a thing
-- key: changed_at desc, table_name, row_key, change
-- description: What changed as people tell it, one row a thing and change: an app updated from one version to another,
--   a device with its new owner and operating system, a device that came or went with what it carried. Columns that
--   repeat what another table says (the device's tags in each of its apps) are told once, where they belong. The view
--   changes has one row for each column instead.
-- column: changed_at | When the pass that saw the change began, UTC.
-- column: table_name | Table the row belongs to.
-- column: thing | What the row is: device, app, profile, FileVault and so on.
-- column: name | Name of the thing; of apps that of most copies. NULL where the device says it all.
-- column: change | added, removed, updated (another version) or changed.
-- column: what | The change in words, without the device: app Google Chrome updated 129.0 -> 130.1.
-- column: device_id | Device the thing is on; NULL for what is not about devices.
-- column: device_name | Name of the device now, or the last one it had before it was removed.
-- column: serial_number | Serial number of the device, also of a removed one.
-- column: row_key | JSON object of what tells the row from others in its table.
-- column: column_name | The column that says most of what changed; NULL where the whole thing was added or removed.
-- column: old_value | Its value before, as text; of a removed thing its version, where it has one.
-- column: new_value | Its value after, as text.
-- column: facts | All that changed, what says most first: fact in words, column, old and new value.
-- ask: Which apps were updated on most devices in a week | SELECT name, count(DISTINCT device_id) AS devices FROM
--   changes_between(now() - INTERVAL 7 DAY, now()) WHERE thing = 'app' AND change = 'updated' GROUP BY ALL ORDER BY
--   devices DESC, name LIMIT 30
-- ask: Which devices came or went in a month, with what | SELECT changed_at, device_name, serial_number, what FROM
--   changes_between(now() - INTERVAL 30 DAY, now()) WHERE thing = 'device' AND change <> 'changed' ORDER BY changed_at
-- ask: Which devices got another owner | SELECT changed_at, device_name, serial_number, what FROM changes_by_thing WHERE
--   list_contains(list_transform(facts, lambda f: f.fact), 'owner') ORDER BY changed_at DESC
WITH gone AS (
    SELECT
        first_key AS device_id,
        arg_max(json_extract_string(old, '$.device_name[0]'), changed_at) AS device_name,
        arg_max(json_extract_string(old, '$.serial_number[0]'), changed_at) AS serial_number
    FROM internal.events
    WHERE table_name = 'devices' AND change = 'removed'
    GROUP BY first_key
),
-- what came or went with a device is seen in passes of other tables, the whole of each of which is read once a day
moves AS (
    SELECT first_key AS device_id, change, changed_at AS moved_at, changed_at + INTERVAL 26 HOUR AS settled_at
    FROM internal.events
    WHERE
        table_name = 'devices'
        AND change <> 'changed'
        AND changed_at >= TIMESTAMP '-infinity' - INTERVAL 26 HOUR
        AND changed_at < TIMESTAMP 'infinity' + INTERVAL 1 HOUR
),
batches AS (
    SELECT e.first_key AS device_id, e.change, e.table_name, e.changed_at + INTERVAL 1 HOUR AS later, count(*) AS things
    FROM internal.events AS e
    SEMI JOIN moves AS m ON m.device_id = e.first_key AND m.change = e.change
    WHERE
        e.table_name <> 'devices'
        AND e.change <> 'changed'
        AND e.changed_at >= TIMESTAMP '-infinity' - INTERVAL 1 HOUR
        AND e.changed_at < TIMESTAMP 'infinity' + INTERVAL 26 HOUR
    GROUP BY ALL
),
carried AS (
    SELECT b.device_id, b.change, m.moved_at, b.table_name, sum(b.things) AS things
    FROM batches AS b
    ASOF JOIN moves AS m ON m.device_id = b.device_id AND m.change = b.change AND m.moved_at <= b.later
    WHERE b.later <= m.settled_at + INTERVAL 1 HOUR
    GROUP BY ALL
),
luggage AS (
    SELECT
        c.device_id,
        c.change,
        c.moved_at,
        string_agg(
            format('{:,} {}', c.things::BIGINT, CASE c.things WHEN 1 THEN th.noun ELSE th.plural END), ', '
            ORDER BY c.things DESC, th.place
        ) AS items
    FROM carried AS c
    JOIN internal.things AS th USING (table_name)
    WHERE th.plural IS NOT NULL
    GROUP BY ALL
),
-- devices is named with its schema: in the function, a CTE of the statement around it may have that name
told AS NOT MATERIALIZED (
    SELECT
        e.*,
        t.keys[1] = 'device_id' AS of_device,
        t.keys || t.fallbacks AS key_columns,
        d.device_name,
        d.serial_number,
        e.table_name = 'devices' AND d.blueprint_id IS NULL AS is_routed
    FROM internal.events AS e
    JOIN internal.tracked AS t USING (table_name)
    LEFT JOIN main.devices AS d ON t.keys[1] = 'device_id' AND d.device_id = e.first_key
    ANTI JOIN moves AS m
        ON
            m.device_id = e.first_key
            AND m.change = e.change
            AND e.table_name <> 'devices'
            AND e.changed_at BETWEEN m.moved_at - INTERVAL 1 HOUR AND m.settled_at
    WHERE e.changed_at >= TIMESTAMP '-infinity' AND e.changed_at < TIMESTAMP 'infinity'
),
columns AS (
    SELECT *, json_keys(old) AS names, unnest(json_keys(old)) AS name
    FROM told
    WHERE change = 'changed'
),
-- a copy is left out where the row that it repeats has a history of its own, unless what refers to that row changed
-- too: another blueprint is told by its name; where a blueprint is assigned by routing the device has its name alone
changed AS (
    SELECT
        c.* EXCLUDE (name, names, old, new),
        list(
            {
                'place': coalesce(f.place, 10000),
                'column_name': c.name,
                'fact': CASE WHEN coalesce(list_has_any(c.names, f.needs), true)
                    THEN coalesce(f.label, c.name) ELSE c.name END,
                'old_value': json_extract_string(c.old, '$."' || c.name || '"[0]'),
                'new_value': json_extract_string(c.new, '$."' || c.name || '"[0]')
            }
        ) AS cells,
        -- whether the first of the cells is a version, told without them: who only counts has none made
        min(coalesce(f.place, 10000)) FILTER (coalesce(f.label, c.name) = 'version') = min(coalesce(f.place, 10000))
            AND (min(f.place) IS NOT NULL OR min(c.name) = 'version') AS is_update
    FROM columns AS c
    LEFT JOIN internal.facts AS f ON f.table_name = c.table_name AND f.column_name = c.name
    WHERE
        NOT coalesce(list_contains(c.names, f.unless), false)
        AND NOT coalesce(f.owner = 'devices', false)
        AND NOT (
            f.owner IS NOT NULL
            AND NOT c.is_routed
            AND NOT coalesce(list_has_any(c.names, f.needs), false)
            AND f.owner IN (SELECT table_name FROM internal.tracked)
        )
    GROUP BY ALL
),
valued AS (
    SELECT * EXCLUDE (cells), CASE WHEN length(cells) > 1 THEN list_sort(cells) ELSE cells END AS cells FROM changed
    UNION ALL BY NAME
    SELECT *, [] AS cells, false AS is_update FROM told WHERE change <> 'changed'
),
named AS (
    SELECT
        * EXCLUDE (cells),
        list_filter(
            list_zip(key_columns, [first_key] || from_json(other_keys, '["VARCHAR"]')),
            lambda part: part[2] IS NOT NULL
        ) AS parts,
        CASE change WHEN 'removed' THEN json_extract_string(old, '$.version[0]') END AS old_version,
        list_transform(
            CASE WHEN length(cells) > 1
                THEN list_filter(cells, lambda cell, place: list_position(list_transform(cells, lambda other: other.fact), cell.fact) = place) ELSE cells END,
            lambda cell: {
                'fact': cell.fact,
                'column_name': cell.column_name,
                'old_value': cell.old_value,
                'new_value': cell.new_value
            }
        ) AS facts
    FROM valued
),
phrased AS (
    SELECT
        *,
        list_transform(
            facts,
            lambda f: CASE
                WHEN f.fact = 'tag' THEN array_to_string(
                    list_transform(
                        list_filter(
                            from_json(coalesce(f.new_value, '[]'), '["VARCHAR"]'),
                            lambda tag: NOT list_contains(from_json(coalesce(f.old_value, '[]'), '["VARCHAR"]'), tag)
                        ),
                        lambda tag: 'tag ''' || tag || ''' added'
                    )
                    || list_transform(
                        list_filter(
                            from_json(coalesce(f.old_value, '[]'), '["VARCHAR"]'),
                            lambda tag: NOT list_contains(from_json(coalesce(f.new_value, '[]'), '["VARCHAR"]'), tag)
                        ),
                        lambda tag: 'tag ''' || tag || ''' removed'
                    ),
                    ', '
                )
                WHEN greatest(length(f.old_value), length(f.new_value)) > 60 THEN f.fact || ' changed'
                ELSE
                    CASE f.fact WHEN 'version' THEN 'updated' ELSE f.fact END
                    || ' ' || coalesce(f.old_value, 'none') || ' -> ' || coalesce(f.new_value, 'none')
            END
        ) AS phrases
    FROM named
),
called AS (
    SELECT
        p.* EXCLUDE (device_name, serial_number, is_update),
        coalesce(p.is_update, false) AS is_update,
        th.noun AS thing,
        coalesce(p.device_name, g.device_name) AS device_name,
        coalesce(p.serial_number, g.serial_number) AS serial_number,
        l.items,
        coalesce(
            CASE p.change WHEN 'removed' THEN json_extract_string(p.old, '$."' || th.named || '"[0]') END,
            n.name,
            nullif(
                array_to_string(
                    list_transform(
                        list_filter(p.parts, lambda part: list_contains(th.name_keys, part[1])), lambda part: part[2]
                    ),
                    ' '
                ),
                ''
            ),
            CASE WHEN length(p.key_columns) > 1 THEN p.parts[-1][2] END
        ) AS called
    FROM phrased AS p
    JOIN internal.things AS th USING (table_name)
    LEFT JOIN gone AS g ON p.of_device AND g.device_id = p.first_key
    LEFT JOIN luggage AS l
        ON p.table_name = 'devices' AND l.device_id = p.first_key AND l.change = p.change AND l.moved_at = p.changed_at
    LEFT JOIN internal.names AS n
        ON n.table_name = p.table_name AND n.key = list_filter(p.parts, lambda part: part[1] = th.named_by)[1][2]
)
SELECT
    changed_at,
    table_name,
    thing,
    called AS name,
    CASE WHEN is_update THEN 'updated' ELSE change END AS change,
    CASE
        WHEN change <> 'changed' THEN concat_ws(' ', thing, called, old_version, change) || coalesce(': ' || items, '')
        WHEN table_name = 'devices' THEN array_to_string(phrases, ', ')
        ELSE
            concat_ws(' ', thing, called)
            || CASE WHEN is_update THEN ' ' ELSE ': ' END
            || array_to_string(phrases, ', ')
    END AS what,
    CASE WHEN of_device THEN first_key END AS device_id,
    device_name,
    serial_number,
    to_json(map_from_entries(parts)) AS row_key,
    facts[1].column_name AS column_name,
    coalesce(facts[1].old_value, old_version) AS old_value,
    facts[1].new_value AS new_value,
    facts
FROM called;
