-- title: Library items
-- description: Library items by name and identifier, with the devices and blueprints that have them and how many fail.
WITH on_devices AS (
    SELECT
        item_id AS id,
        any_value(name) AS name,
        any_value(type) AS type,
        count(*) AS devices,
        count(*) FILTER (WHERE upper(status) IN ('ERROR', 'FAILED')) AS failed
    FROM device_library_items
    GROUP BY item_id
),
in_blueprints AS (
    SELECT id, any_value(name) AS name, count(*) AS blueprints FROM blueprint_library_items GROUP BY id
)
SELECT
    coalesce(d.name, b.name, id) AS name,
    NULL AS also,
    id,
    concat_ws(
        '; ',
        type,
        CASE WHEN devices IS NULL THEN 'status of no device read' ELSE format('on {:,} devices', devices) END,
        CASE WHEN failed > 0 THEN format('failed on {:,}', failed) END,
        format('in {:,} blueprints', coalesce(blueprints, 0))
    ) AS about,
    coalesce(devices, 0) AS weight
FROM on_devices AS d
FULL JOIN in_blueprints AS b USING (id);
