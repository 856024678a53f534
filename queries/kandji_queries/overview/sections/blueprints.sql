-- title: Largest blueprints
-- description: The five with most devices.
-- place: 3
SELECT
    coalesce(blueprint_name, 'no blueprint') AS fact,
    count(*) AS n,
    sum(count(*)) OVER ()::BIGINT AS whole,
    NULL AS unknown,
    'devices_by_blueprint' AS behind
FROM devices
GROUP BY blueprint_id, blueprint_name
ORDER BY n DESC, fact
LIMIT 5;
