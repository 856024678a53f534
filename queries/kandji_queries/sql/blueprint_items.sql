-- title: Library items of a blueprint
-- description: The library items assigned to each blueprint or to one, by its whole name in any letter case or its
--   identifier. kind and active are known of items the tenant made itself; the provider does not tell them of its Auto
--   Apps and built-in profiles. items is how many there are: a blueprint without any has one row with an
--   empty item, and one that there is not has none.
-- param: blueprint text optional | Name or identifier of a blueprint, such as Engineering.
-- column: kind | Kind of the library item, where the tenant made it.
-- column: items | Number of items of the blueprint.
-- column: item_id | Identifier of the library item.
WITH made AS (
    SELECT id, 'custom app' AS kind, active FROM custom_apps
    UNION ALL
    SELECT id, 'custom profile', active FROM custom_profiles
    UNION ALL
    SELECT id, 'custom script', active FROM custom_scripts
    UNION ALL
    SELECT id, 'in-house app', active FROM in_house_apps
)
SELECT
    b.name AS blueprint,
    i.name AS item,
    m.kind,
    m.active,
    count(i.id) OVER (PARTITION BY b.id) AS items,
    i.id AS item_id,
    b.id AS blueprint_id
FROM blueprints AS b
LEFT JOIN blueprint_library_items AS i ON i.blueprint_id = b.id
LEFT JOIN made AS m ON m.id = i.id
WHERE $blueprint IS NULL OR folded(b.name) = folded($blueprint) OR b.id = $blueprint
ORDER BY b.name, b.id, i.name, i.id;
