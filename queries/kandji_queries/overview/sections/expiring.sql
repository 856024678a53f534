-- title: Running out
-- description: Tokens, certificates and licences that end soon.
-- place: 7
WITH reads AS (
    SELECT table_name, synced_at IS NOT NULL AS is_read FROM freshness
),
told AS (
    SELECT 1 AS place, 'ade_integrations' AS behind_table, 'enrolment tokens, 60 days' AS fact, count(*) AS n, NULL::BIGINT AS whole, 'ade_tokens' AS behind
    FROM ade_integrations
    WHERE upper(status) = 'BROKEN' OR access_token_expiry < (now() AT TIME ZONE 'UTC') + INTERVAL 60 DAY
    UNION ALL
    SELECT 2, 'licensing', 'licences in use', sum(computers_count)::BIGINT, sum(max_devices)::BIGINT, 'licence_usage'
    FROM licensing
    HAVING count(*) > 0
)
SELECT t.fact, CASE WHEN r.is_read THEN t.n END AS n, t.whole, NULL AS unknown, t.behind
FROM told AS t
JOIN reads AS r ON r.table_name = t.behind_table
ORDER BY t.place;
