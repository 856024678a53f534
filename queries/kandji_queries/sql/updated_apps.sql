-- title: Apps that were updated
-- description: Apps that came to another version on some device within the last days, or on one day (UTC), those
--   updated on most devices first: from which versions, to which, and which step was the commonest. The time is when
--   the mirror saw it. Helpers inside of another app are left out. What the mirror did not see is not known: the view
--   history tells since when it looks. The tool or command changes tells it by device.
-- param: days int = 1 [1, 3650] | Days back.
-- param: day date optional | One day, UTC, instead of the last days.
-- param: app text optional | Part of the app's name or bundle identifier.
-- since: coalesce($day::TIMESTAMP, (now() AT TIME ZONE 'UTC') - to_days($days::INTEGER))
-- chart: bar x=app y=devices unit=devices
-- says: {count|app was|apps were} updated; {top app by devices} on most devices.
-- nearest: days=30 last_seen
-- ranks: devices
-- column: updates | Number of updates, of all copies on all devices.
-- column: commonest | The step from version to version that most devices made.
-- column: from_versions | The versions before, the newest first.
-- column: to_versions | The versions after, the newest first.
-- column: first_seen | When the first of these updates was seen, UTC.
-- column: last_seen | When the last of these updates was seen, UTC.
WITH updates AS (
    SELECT
        c.device_id,
        c.changed_at,
        c.name AS app,
        c.row_key ->> '$.bundle_id' AS bundle_id,
        c.old_value,
        c.new_value
    FROM changes_between(
        coalesce($day::TIMESTAMP, (now() AT TIME ZONE 'UTC') - to_days($days::INTEGER)),
        coalesce($day::TIMESTAMP + to_days(1), 'infinity')
    ) AS c
    WHERE
        c.table_name = 'apps'
        AND c.change = 'updated'
        AND NOT coalesce(contains(c.row_key ->> '$.path', '.app/'), false)
        AND (
            $app IS NULL
            OR contains(folded(c.name), folded($app))
            OR contains(folded(c.row_key ->> '$.bundle_id'), folded($app))
        )
),
steps AS (
    SELECT
        app,
        bundle_id,
        concat_ws(' -> ', coalesce(old_value, 'none'), coalesce(new_value, 'none')) AS step,
        count(DISTINCT device_id) AS devices
    FROM updates
    GROUP BY ALL
),
commonest AS (
    SELECT app, bundle_id, arg_max(step, (devices, step)) AS step
    FROM steps
    GROUP BY ALL
),
counted AS (
    SELECT
        app,
        bundle_id,
        count(DISTINCT device_id) AS devices,
        count(*) AS updates,
        list(DISTINCT old_value ORDER BY version_key(old_value) DESC NULLS LAST, old_value) AS olds,
        list(DISTINCT new_value ORDER BY version_key(new_value) DESC NULLS LAST, new_value) AS news,
        min(changed_at) AS first_seen,
        max(changed_at) AS last_seen
    FROM updates
    GROUP BY ALL
)
SELECT
    u.app,
    u.devices,
    u.updates,
    c.step AS commonest,
    array_to_string(u.olds[1:3], ', ') || CASE WHEN length(u.olds) > 3 THEN ' and ' || (length(u.olds) - 3) || ' more' ELSE '' END
        AS from_versions,
    array_to_string(u.news[1:3], ', ') || CASE WHEN length(u.news) > 3 THEN ' and ' || (length(u.news) - 3) || ' more' ELSE '' END
        AS to_versions,
    u.first_seen,
    u.last_seen,
    u.bundle_id
FROM counted AS u
JOIN commonest AS c ON c.app IS NOT DISTINCT FROM u.app AND c.bundle_id IS NOT DISTINCT FROM u.bundle_id
ORDER BY u.devices DESC, u.updates DESC, u.app, u.bundle_id;
