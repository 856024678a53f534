-- title: Changes by table and kind
-- description: Number of changes.
SELECT table_name, change, count(*) AS changes, count(DISTINCT device_id) AS devices
FROM changes
WHERE
    changed_at >= $since
    AND changed_at < $until
    AND ($device IS NULL OR device_id = $device)
    AND ($table IS NULL OR table_name = $table)
GROUP BY ALL
ORDER BY changes DESC, table_name, change;
