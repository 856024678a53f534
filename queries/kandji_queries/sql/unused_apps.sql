-- title: Apps that nobody opened
-- description: Apps that were not opened on any device for some days, as far as the provider sends when an app was last
--   opened: none of the fields that it documents says so. Where it sends such a date beside them, as last_opened_at, it
--   is read here; apps and devices without one are not judged, and devices_unknown counts them. Where no app has a date
--   the answer is empty, and that nothing is known is said: it does not mean that all apps are used.
-- for: pictures
-- counts: devices
-- param: days int = 90 [1, 3650] | Days for which nobody opened it.
-- without: FROM apps WHERE extra IS NOT NULL AND len(list_filter(json_keys(extra), lambda member:
--   regexp_matches(lower(member), '^(date_)?last_?(open|use|launch|access)'))) > 0 | The provider sends no date on which an app was last opened, so which
--   apps nobody opened is not known; rare_apps lists those that few devices have.
-- nearest: days=1 days_unopened
-- column: app | Name of the app.
-- column: devices | Devices that have it.
-- column: devices_unknown | Those of them that do not say when it was last opened.
-- column: last_opened_at | When it was last opened on any device, UTC.
-- column: days_unopened | Whole days since then.
WITH said AS (
    SELECT
        a.name,
        a.bundle_id,
        a.device_id,
        CASE
            WHEN a.extra IS NOT NULL THEN
                list_filter(
                    json_keys(a.extra),
                    lambda member: regexp_matches(lower(member), '^(date_)?last_?(open|use|launch|access)')
                )[1]
        END AS member,
        try_cast(json_extract_string(a.extra, '$."' || member || '"') AS TIMESTAMPTZ) AT TIME ZONE 'UTC' AS opened_at
    FROM apps AS a
),
counted AS (
    SELECT
        name AS app,
        bundle_id,
        count(DISTINCT device_id) AS devices,
        count(DISTINCT device_id) - count(DISTINCT device_id) FILTER (opened_at IS NOT NULL) AS devices_unknown,
        max(opened_at) AS last_opened_at
    FROM said
    GROUP BY ALL
    HAVING last_opened_at IS NOT NULL
)
SELECT *, date_diff('day', last_opened_at, now() AT TIME ZONE 'UTC') AS days_unopened
FROM counted
WHERE last_opened_at < (now() AT TIME ZONE 'UTC') - to_days($days::INTEGER)
ORDER BY last_opened_at, app, bundle_id;
