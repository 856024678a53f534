-- title: Blueprints with few library items
-- description: Blueprints to which fewer library items are assigned than a number, those with none first, with the number
--   of their devices (missing and removed ones beside). blueprint_items tells the items.
-- counts: devices
-- param: fewer_than int = 3 [1, 10000] | Fewer items than this.
-- chart: bar x=blueprint y=items unit=items
-- says: {count|blueprint has|blueprints have} fewer than {$fewer_than} library items; {sum devices|device is|devices
--   are} in them.
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
WHERE coalesce(i.items, 0) < $fewer_than
ORDER BY items, blueprint, b.id;
