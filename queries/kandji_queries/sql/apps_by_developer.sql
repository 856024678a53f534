-- title: Apps by developer
-- description: For every developer, as the apps name them, how many different apps of theirs there are, on how many
--   devices, and in how many copies. What lies inside another app, as helpers do,
--   counts as one of them. Apps that name none, such as those of iPhones, are under unknown.
-- counts: devices
-- chart: bar x=developer y=devices unit=devices
-- says: Apps of {count|developer|developers}; those of {top developer by devices} are on most devices.
-- column: developer | The developer, as the bundle identifier tells.
-- leads: copies to apps(developer_name=developer)
WITH made AS (
    SELECT developer_name, count(DISTINCT coalesce(bundle_id, name)) AS apps, sum(copies)::BIGINT AS copies
    FROM (SELECT developer_name, bundle_id, name, count(*) AS copies FROM apps GROUP BY ALL)
    GROUP BY developer_name
),
held AS (
    SELECT developer_name, count(DISTINCT device_id) AS devices
    FROM apps
    GROUP BY developer_name
)
SELECT coalesce(m.developer_name, 'unknown') AS developer, m.apps, h.devices, m.copies
FROM made AS m
JOIN held AS h ON h.developer_name IS NOT DISTINCT FROM m.developer_name
ORDER BY h.devices DESC, m.copies DESC, developer;
