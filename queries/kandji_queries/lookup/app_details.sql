-- title: What is told of some apps
-- description: For apps of some names the devices and copies, and the lowest and highest version by their numbers alone,
--   which is quicker than version_key and right for all but betas.
WITH found AS (
    SELECT
        coalesce(name, bundle_id) AS name,
        bundle_id,
        count(DISTINCT device_id) AS devices,
        count(*) AS copies,
        list(DISTINCT version) FILTER (WHERE version IS NOT NULL) AS versions
    FROM apps
    WHERE coalesce(name, bundle_id) IN $names
    GROUP BY apps.name, bundle_id
),
ordered AS (
    SELECT
        * EXCLUDE (versions),
        list_sort(
            list_transform(
                versions,
                lambda version: {
                    'numbers': list_transform(
                        regexp_extract_all(version, '\d+'), lambda part: part[:18]::UBIGINT
                    ),
                    'version': version
                }
            )
        ) AS versions
    FROM found
)
SELECT
    name,
    bundle_id,
    concat_ws(
        '; ',
        bundle_id,
        format('on {:,} devices', devices),
        CASE WHEN copies > devices THEN format('{:,} copies', copies) END,
        CASE
            WHEN versions[1]['version'] = versions[-1]['version'] THEN 'version ' || versions[1]['version']
            ELSE 'versions ' || versions[1]['version'] || ' to ' || versions[-1]['version']
        END
    ) AS about
FROM ordered;
