-- title: Apps
-- description: Installed apps by name and bundle identifier, with the number of devices and copies.
SELECT
    coalesce(name, bundle_id) AS name,
    bundle_id AS also,
    NULL AS id,
    concat_ws(
        '; ',
        bundle_id,
        format('on {:,} devices', count(DISTINCT device_id)),
        CASE WHEN count(*) > count(DISTINCT device_id) THEN format('{:,} copies', count(*)) END
    ) AS about,
    count(DISTINCT device_id) AS weight
FROM apps
GROUP BY apps.name, bundle_id;
