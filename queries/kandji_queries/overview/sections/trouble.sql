-- title: Trouble
-- description: What failed or was found on devices. A table that was never read makes its line unknown.
-- place: 6
WITH reads AS (
    SELECT table_name, synced_at IS NOT NULL AS is_read FROM freshness
),
told AS (
    SELECT 1 AS place, 'device_library_items' AS behind_table, 'devices with failed items' AS fact, count(DISTINCT device_id) AS n, 'failed_library_items' AS behind
    FROM device_library_items
    WHERE upper(status) IN ('ERROR', 'FAILED')
    UNION ALL
    SELECT 2, 'device_parameters', 'Macs with failed parameters', count(DISTINCT device_id), 'failing_parameters'
    FROM device_parameters
    WHERE upper(status) IN ('ERROR', 'FAILED')
    UNION ALL
    SELECT 3, 'device_commands', 'commands that wait', count(*), 'pending_commands' FROM device_commands WHERE status NOT IN (3, 4)
    UNION ALL
    SELECT 4, 'vulnerabilities', 'critical vulnerabilities', count(*), 'vulnerabilities_in_fleet(severity=Critical)'
    FROM vulnerabilities
    WHERE lower(severity) = 'critical'
    UNION ALL
    SELECT 5, 'vulnerabilities', 'known to be exploited', count(*), 'vulnerabilities_in_fleet(exploited_only=true)'
    FROM vulnerabilities
    WHERE kev_score > 0
    UNION ALL
    SELECT 6, 'threats', 'malware not quarantined', count(*), 'detected_threats(days=3650)'
    FROM threats
    WHERE status IS DISTINCT FROM 'QUARANTINED'
    UNION ALL
    SELECT 7, 'devices', 'devices in lost mode', count(*), 'sql: FROM lost_mode' FROM devices WHERE upper(lost_mode_status) = 'ENABLED'
    UNION ALL
    SELECT 8, 'devices', 'devices in contradiction', count(DISTINCT device_id), 'sql: FROM contradictions' FROM contradictions
)
SELECT t.fact, CASE WHEN r.is_read THEN t.n END AS n, NULL AS whole, NULL AS unknown, t.behind
FROM told AS t
JOIN reads AS r ON r.table_name = t.behind_table
ORDER BY t.place;
