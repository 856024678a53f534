-- title: Apps
-- description: Installed apps by name and bundle identifier; app_details.sql counts those that are told of.
SELECT
    coalesce(name, bundle_id) AS name,
    bundle_id AS also,
    NULL AS id,
    bundle_id AS about,
    count(*) AS weight
FROM apps
GROUP BY apps.name, bundle_id;
