-- title: Blueprints by number of library items
-- description: Blueprints with the number of library items assigned to them, the fewest first, and the number of their
--   devices (missing and removed ones beside); with a number only those that have fewer. blueprint_items tells the items.
-- counts: devices
-- param: fewer_than int optional [1, 10000] | Only those with fewer items than this.
-- nearest: fewer_than=10000 items
-- ranks: items
-- chart: bar x=blueprint y=items unit=items
-- says: {first blueprint} has the fewest library items, {first items}.
-- column: items | Number of library items.
WITH assigned AS (
    SELECT blueprint_id, count(DISTINCT id) AS items
    FROM blueprint_library_items
    GROUP BY blueprint_id
),
held AS (
    SELECT
        blueprint_id,
        count(*) AS devices,
        count(*) FILTER (is_missing) AS missing,
        count(*) FILTER (is_removed) AS removed
    FROM devices
    GROUP BY blueprint_id
)
SELECT
    b.name AS blueprint,
    b.type,
    coalesce(i.items, 0) AS items,
    coalesce(h.devices, 0) AS devices,
    coalesce(h.missing, 0) AS missing,
    coalesce(h.removed, 0) AS removed,
    b.id AS blueprint_id
FROM blueprints AS b
LEFT JOIN assigned AS i ON i.blueprint_id = b.id
LEFT JOIN held AS h ON h.blueprint_id = b.id
WHERE $fewer_than IS NULL OR coalesce(i.items, 0) < $fewer_than
ORDER BY items, blueprint, b.id;
