-- title: Devices
-- description: By platform, removed and missing ones included, and what is odd about them.
-- place: 1
WITH kinds AS (
    SELECT coalesce(platform, 'platform not known') AS fact, count(*) AS n FROM devices GROUP BY ALL
)
SELECT fact, n, NULL AS whole, NULL AS unknown, behind
FROM (
    SELECT 0 AS place, 'All' AS fact, count(*) AS n, 'devices_by_platform' AS behind FROM devices
    UNION ALL
    SELECT 1, fact, n, 'devices_by_platform' FROM kinds
    UNION ALL
    SELECT 2, 'marked missing', count(*), 'sql: FROM fleet WHERE is_missing' FROM devices WHERE is_missing
    UNION ALL
    SELECT 3, 'marked removed', count(*), 'sql: FROM fleet WHERE is_removed' FROM devices WHERE is_removed
    UNION ALL
    SELECT 4, 'no contact for 14 days', count(*), 'stale_devices(days=14)'
    FROM devices
    WHERE coalesce(last_check_in < (now() AT TIME ZONE 'UTC') - INTERVAL 14 DAY, true)
    UNION ALL
    SELECT 5, 'enrolled in 7 days', count(*), 'new_devices(days=7)'
    FROM devices
    WHERE first_enrollment >= (now() AT TIME ZONE 'UTC') - INTERVAL 7 DAY
    UNION ALL
    SELECT 6, 'without a person', count(*), 'devices_without_user'
    FROM devices
    WHERE user_id IS NULL AND user_email IS NULL AND user_name IS NULL
)
ORDER BY place, n DESC, fact;
