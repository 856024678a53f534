-- title: Devices that came, went or changed hands
-- description: Devices that appeared in or vanished from the device list, were marked missing or removed or found
--   again, or changed their user or blueprint since a moment, newest first. What the mirror did not see is not known:
--   the view history tells since when it looks, and a change has the time at which the mirror saw it. A user or
--   blueprint that was merely renamed is no change.
-- param: hours int = 24 [1, 87600] | Hours back.
-- param: since time optional | Since when, instead of the hours: 24h or 7d ago, or a date or time, UTC.
-- since: coalesce($since::TIMESTAMP, (now() AT TIME ZONE 'UTC') - to_hours($hours::INTEGER))
WITH named AS (
    SELECT
        *,
        CASE
            WHEN change = 'added' THEN 'appeared'
            WHEN change = 'removed' THEN 'vanished'
            WHEN column_name IN ('is_missing', 'is_removed') THEN column_name
            WHEN starts_with(column_name, 'user_') AND column_name <> 'user_is_archived' THEN 'user'
            WHEN starts_with(column_name, 'blueprint_') THEN 'blueprint'
        END AS event,
        list_position(['user_email', 'user_name', 'user_id', 'blueprint_name', 'blueprint_id'], column_name) AS place
    FROM changes
    WHERE
        table_name = 'devices'
        AND changed_at >= coalesce($since::TIMESTAMP, (now() AT TIME ZONE 'UTC') - to_hours($hours::INTEGER))
),
events AS (
    SELECT
        changed_at,
        device_id,
        device_name,
        serial_number,
        event,
        arg_min(old_value, coalesce(place, 0)) AS before,
        arg_min(new_value, coalesce(place, 0)) AS after,
        list(column_name) AS columns
    FROM named
    WHERE event IS NOT NULL
    GROUP BY ALL
),
gone AS (
    SELECT device_id, arg_max(old_row, removed_at) AS old_row
    FROM removed_rows
    WHERE table_name = 'devices'
    GROUP BY device_id
)
SELECT
    e.changed_at,
    e.event,
    e.device_id,
    e.device_name,
    e.serial_number,
    e.before,
    e.after,
    coalesce(d.platform, g.old_row ->> '$.platform') AS platform,
    coalesce(d.user_email, g.old_row ->> '$.user_email') AS user_email,
    coalesce(d.blueprint_name, g.old_row ->> '$.blueprint_name') AS blueprint_name,
    coalesce(d.last_check_in, try_cast(g.old_row ->> '$.last_check_in' AS TIMESTAMP)) AS last_check_in
FROM events AS e
LEFT JOIN devices AS d USING (device_id)
LEFT JOIN gone AS g USING (device_id)
WHERE
    e.event NOT IN ('user', 'blueprint')
    OR list_has_any(e.columns, ['user_id', 'user_email', 'blueprint_id'])
    OR (e.event = 'blueprint' AND d.blueprint_id IS NULL)
ORDER BY e.changed_at DESC, e.device_name, e.device_id, e.event;
