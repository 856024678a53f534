-- title: Devices that came, went or changed hands
-- description: Devices that appeared in or vanished from the device list, were marked missing or removed or found
--   again, or changed their user or blueprint since a moment, newest first. What the mirror did not see is not known:
--   the view history tells since when it looks, and a change has the time at which the mirror saw it. A user or
--   blueprint that was merely renamed is no change; what says all that changed at that moment, also what a device came
--   or went with.
-- param: hours int = 24 [1, 87600] | Hours back.
-- param: since time optional | Since when, instead of the hours: 24h or 7d ago, or a date or time, UTC.
-- nearest: hours=720 changed_at
-- since: coalesce($since::TIMESTAMP, (now() AT TIME ZONE 'UTC') - to_hours($hours::INTEGER))
-- column: event | What happened: appeared, vanished, or what of it changed.
-- column: before | What it was before.
-- column: after | What it is since then.
WITH events AS (
    SELECT
        changed_at,
        device_id,
        device_name,
        serial_number,
        CASE change WHEN 'added' THEN 'appeared' WHEN 'removed' THEN 'vanished' ELSE fact.column_name END AS event,
        fact.fact AS fact,
        fact.old_value AS before,
        fact.new_value AS after,
        what
    FROM (
        SELECT *, unnest(CASE change WHEN 'changed' THEN facts ELSE [NULL] END) AS fact
        FROM changes_between(
            coalesce($since::TIMESTAMP, (now() AT TIME ZONE 'UTC') - to_hours($hours::INTEGER)), 'infinity'
        )
        WHERE table_name = 'devices'
    )
),
gone AS (
    SELECT device_id, arg_max(old_row, removed_at) AS old_row
    FROM removed_rows
    WHERE table_name = 'devices'
    GROUP BY device_id
)
SELECT
    e.changed_at,
    CASE WHEN e.event IN ('appeared', 'vanished', 'is_missing', 'is_removed') THEN e.event
        WHEN e.fact = 'owner' THEN 'user' ELSE 'blueprint' END AS event,
    e.device_id,
    e.device_name,
    e.serial_number,
    e.before,
    e.after,
    coalesce(d.platform, g.old_row ->> '$.platform') AS platform,
    coalesce(d.user_email, g.old_row ->> '$.user_email') AS user_email,
    coalesce(d.blueprint_name, g.old_row ->> '$.blueprint_name') AS blueprint_name,
    coalesce(d.last_check_in, try_cast(g.old_row ->> '$.last_check_in' AS TIMESTAMP)) AS last_check_in,
    e.what
FROM events AS e
LEFT JOIN devices AS d USING (device_id)
LEFT JOIN gone AS g USING (device_id)
WHERE
    e.event IN ('appeared', 'vanished', 'is_missing', 'is_removed')
    OR e.fact IN ('owner', 'blueprint')
    OR (e.event = 'blueprint_name' AND d.blueprint_id IS NULL)
ORDER BY e.changed_at DESC, e.device_name, e.device_id, event;
