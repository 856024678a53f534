-- title: Devices that are gone and fit a text
-- description: By how well they fit, as the devices that are there, with what was known of them last; of those that fit
--   alike the one removed last first.
WITH gone AS (
    SELECT DISTINCT ON (r.device_id)
        r.device_id,
        r.removed_at,
        r.old_row ->> '$.device_name' AS device_name,
        r.old_row ->> '$.serial_number' AS serial_number,
        r.old_row ->> '$.asset_tag' AS asset_tag,
        r.old_row ->> '$.platform' AS platform,
        r.old_row ->> '$.model' AS model,
        r.old_row ->> '$.user_name' AS user_name,
        r.old_row ->> '$.user_email' AS user_email,
        try_cast(r.old_row ->> '$.last_check_in' AS TIMESTAMP) AS last_check_in,
        coalesce(try_cast(r.old_row ->> '$.is_missing' AS BOOLEAN), false) AS is_missing,
        true AS is_removed
    FROM removed_rows AS r
    ANTI JOIN devices AS d USING (device_id)
    WHERE r.table_name = 'devices'
    ORDER BY r.device_id, r.removed_at DESC
),
scored AS (
    SELECT d.*, device_match($device, d) AS best FROM gone AS d
)
SELECT
    CASE best WHEN 1 THEN 'exact' WHEN 2 THEN 'part of the name' ELSE 'person' END AS match,
    * EXCLUDE (best)
FROM scored
WHERE best IS NOT NULL
QUALIFY best = min(best) OVER ()
ORDER BY removed_at DESC, device_id;
