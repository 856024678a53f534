-- title: Devices that fit a text
-- description: By how well they fit: exact, part of the name, person; only where none does, those whose name, serial
--   number, asset tag or person is written similarly, or has the same words in another order. Of those that fit alike the one that checked in last first.
WITH scored AS (
    SELECT d.*, device_match($device, d) AS match FROM devices AS d
),
best AS (
    SELECT *, min(match) OVER () AS best_match FROM scored
),
fitting AS (
    SELECT
        *,
        CASE
            WHEN best_match IS NULL
                THEN greatest(
                    jaro_winkler_similarity(folded($device), folded(coalesce(device_name, ''))),
                    jaro_winkler_similarity(folded_id($device), coalesce(folded_id(serial_number), '')),
                    jaro_winkler_similarity(folded_id($device), coalesce(folded_id(asset_tag), '')),
                    CASE WHEN words_match($device, device_name) OR words_match($device, user_name) THEN 1 END,
                    jaro_winkler_similarity(folded($device), folded(coalesce(user_name, ''))),
                    jaro_winkler_similarity(folded($device), folded(coalesce(user_email, '')))
                )
        END AS similarity
    FROM best
    WHERE match IS NOT DISTINCT FROM best_match
)
SELECT
    CASE match WHEN 1 THEN 'exact' WHEN 2 THEN 'part of the name' WHEN 3 THEN 'person' ELSE 'similar' END AS match,
    device_id, device_name, serial_number, asset_tag, platform, model,
    user_name, user_email, blueprint_name, last_check_in, is_missing, is_removed
FROM fitting
WHERE match IS NOT NULL OR similarity >= 0.88
ORDER BY similarity DESC NULLS LAST, last_check_in DESC NULLS LAST, device_name, device_id;
