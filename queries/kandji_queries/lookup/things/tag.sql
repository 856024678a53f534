-- title: Tags
-- description: Tags by name, with the devices that have them.
WITH given AS (
    SELECT tag AS name, count(*) AS devices FROM (SELECT unnest(tags) AS tag FROM devices) GROUP BY ALL
)
SELECT
    name,
    NULL AS also,
    NULL AS id,
    format('on {:,} devices', coalesce(g.devices, 0)) AS about,
    coalesce(g.devices, 0) AS weight
FROM (SELECT DISTINCT name FROM tags) AS t
FULL JOIN given AS g USING (name);
