-- title: Devices with an old version of an app
-- description: Every device on which an app is older than a version, compared number by number (9.9 is older than
--   10.0). A copy whose version is missing, or cannot be ordered against the one asked for, is listed too, with
--   version_known false, never dropped.
--   The app is found by a part of its name or bundle identifier in any letter case. Devices marked missing or removed
--   are listed with these flags.
-- param: app text | Part of the app's name or bundle identifier, such as com.google.Chrome.
-- param: version version | The oldest version that is new enough, such as 130 or 130.0.6723.
WITH found AS (
    FROM apps
    WHERE contains(folded(name), folded($app)) OR contains(folded(bundle_id), folded($app))
),
-- worked out once a version, not once a row
versions AS (
    SELECT version, version_key(version) AS key, version_below(version, $version) AS is_below
    FROM (SELECT DISTINCT version FROM found)
)
SELECT
    a.device_id,
    d.device_name,
    coalesce(d.serial_number, a.serial_number) AS serial_number,
    d.platform,
    a.name AS app,
    a.bundle_id,
    a.version,
    v.is_below IS NOT NULL AS version_known,
    a.path,
    d.user_name,
    d.user_email,
    d.blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM found AS a
JOIN versions AS v ON v.version IS NOT DISTINCT FROM a.version
LEFT JOIN devices AS d USING (device_id)
WHERE coalesce(v.is_below, true)
ORDER BY v.key NULLS LAST, a.name, d.device_name, a.device_id, a.path;
