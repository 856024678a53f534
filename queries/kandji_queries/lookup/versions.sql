-- title: The versions of some apps
-- description: The lowest and highest version of each app of some names, by their numbers alone, which is quicker than
--   version_key and right for all but betas.
SELECT
    coalesce(name, bundle_id) AS name,
    bundle_id,
    min_by(version, numbers) AS lowest,
    max_by(version, numbers) AS highest
FROM (
    SELECT DISTINCT
        name,
        bundle_id,
        version,
        list_transform(regexp_extract_all(version, '\d+'), lambda part: part[:18]::UBIGINT) AS numbers
    FROM apps
    WHERE coalesce(name, bundle_id) IN $names
)
GROUP BY name, bundle_id;
