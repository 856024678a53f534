-- title: Devices
-- description: By platform at a moment, with what was marked missing or removed then.
-- place: 1
WITH listed AS (
    SELECT * FROM devices_as_of($moment) WHERE $blueprint IS NULL OR blueprint_name = $blueprint
)
SELECT fact, n, NULL AS whole, NULL AS unknown
FROM (
    SELECT 0 AS place, 'All' AS fact, count(*) AS n FROM listed
    UNION ALL
    SELECT 1, coalesce(platform, 'platform not known'), count(*) FROM listed GROUP BY ALL
    UNION ALL
    SELECT 2, 'marked missing', count(*) FILTER (WHERE is_missing) FROM listed
    UNION ALL
    SELECT 3, 'marked removed', count(*) FILTER (WHERE is_removed) FROM listed
    UNION ALL
    SELECT 4, 'without a blueprint', count(*) FILTER (WHERE blueprint_id IS NULL) FROM listed
    UNION ALL
    SELECT 5, 'without a person', count(*) FILTER (WHERE user_id IS NULL AND user_email IS NULL AND user_name IS NULL) FROM listed
)
ORDER BY place, n DESC, fact;
