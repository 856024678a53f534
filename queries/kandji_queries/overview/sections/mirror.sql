-- title: The mirror
-- description: How many tables are as fresh and as whole as they should be.
-- place: 8
WITH told AS (
    SELECT 1 AS place, 'tables read without trouble' AS fact, count(*) FILTER (WHERE state = 'ok') AS n, count(*) AS whole, 'status' AS behind FROM freshness WHERE state <> 'off'
    UNION ALL
    SELECT 2, 'due for a sync', count(*) FILTER (WHERE NOT is_fresh), count(*), 'status' FROM freshness WHERE state <> 'off'
    UNION ALL
    SELECT 3, concat('in state ', state), count(*), NULL, 'status' FROM freshness WHERE state NOT IN ('ok', 'off') GROUP BY state
)
SELECT fact, n, whole, NULL AS unknown, behind
FROM told
ORDER BY place, fact;
