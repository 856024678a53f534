-- title: Apps by developer
-- description: For every developer, as the apps name them, how many different apps of theirs there are, on how many
--   devices, and in how many copies. Apps that name none, such as those of iPhones, are under unknown.
-- chart: bar x=developer y=devices
WITH found AS (
    SELECT coalesce(developer_name, 'unknown') AS developer, coalesce(bundle_id, name) AS app, device_id
    FROM apps
),
made AS (
    SELECT developer, count(*) AS apps, sum(copies)::BIGINT AS copies
    FROM (SELECT developer, app, count(*) AS copies FROM found GROUP BY ALL)
    GROUP BY developer
)
SELECT m.developer, m.apps, d.devices, m.copies
FROM made AS m
JOIN (SELECT developer, count(DISTINCT device_id) AS devices FROM found GROUP BY developer) AS d USING (developer)
ORDER BY d.devices DESC, m.copies DESC, m.developer;
