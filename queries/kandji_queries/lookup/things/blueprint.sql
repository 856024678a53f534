-- title: Blueprints
-- description: Blueprints by name and identifier, with their devices and library items.
SELECT
    b.name,
    NULL AS also,
    b.id,
    concat_ws(
        '; ',
        'id ' || b.id,
        format('{:,} devices', coalesce(d.devices, 0)),
        format('{:,} library items', coalesce(i.items, 0))
    ) AS about,
    coalesce(d.devices, 0) AS weight
FROM blueprints AS b
LEFT JOIN (SELECT blueprint_id AS id, count(*) AS devices FROM devices GROUP BY ALL) AS d USING (id)
LEFT JOIN (SELECT blueprint_id AS id, count(*) AS items FROM blueprint_library_items GROUP BY ALL) AS i USING (id);
