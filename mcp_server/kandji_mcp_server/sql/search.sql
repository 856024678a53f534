-- title: Devices that fit a text
-- description: By how well they fit: exact, part of the name, person; only where none does, those whose name, serial
--   number, asset tag or person is written similarly.
WITH scored AS (
    SELECT
        d.*,
        device_match($device, d) AS match,
        greatest(
            jaro_winkler_similarity(strip_accents(lower($device)), strip_accents(lower(coalesce(d.device_name, '')))),
            jaro_winkler_similarity(lower($device), lower(coalesce(d.serial_number, ''))),
            jaro_winkler_similarity(lower($device), lower(coalesce(d.asset_tag, ''))),
            jaro_winkler_similarity(strip_accents(lower($device)), strip_accents(lower(coalesce(d.user_name, '')))),
            jaro_winkler_similarity(lower($device), lower(coalesce(d.user_email, '')))
        ) AS similarity
    FROM devices AS d
),
best AS (
    SELECT *, min(match) OVER () AS best_match
    FROM scored
)
SELECT
    CASE match WHEN 1 THEN 'exact' WHEN 2 THEN 'part of the name' WHEN 3 THEN 'person' ELSE 'similar' END AS match,
    device_id,
    device_name,
    serial_number,
    asset_tag,
    platform,
    model,
    user_name,
    user_email,
    blueprint_name,
    last_check_in,
    is_missing,
    is_removed
FROM best
WHERE match = best_match OR (best_match IS NULL AND similarity >= 0.85)
ORDER BY CASE WHEN match IS NULL THEN similarity END DESC NULLS LAST, device_name, device_id;
