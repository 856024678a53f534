-- title: Devices with an old version of an app
-- description: Every device on which an app is older than a version, compared number by number (9.9 is older than
--   10.0): one row a device, however many copies are old. copies is how many, versions and paths are theirs, and version
--   is the oldest. Copies whose version is missing, or cannot be ordered against the one asked for, count too;
--   version_known is false where there are no others. The app is found by a part of its name or bundle identifier in any
--   letter case. What lies inside another app, as the helpers of Chrome do, is left out, unless nothing else is found.
--   Devices marked missing or removed are listed with these flags.
-- counts: devices
-- param: app text | Part of the app's name or bundle identifier, such as com.google.Chrome.
-- param: version version | The oldest version that is new enough, such as 130 or 130.0.6723.
-- column: version_known | Whether the versions of some copies can be compared.
-- column: versions | Versions of its old copies.
-- column: paths | Where its old copies are.
WITH found AS (
    FROM apps
    WHERE contains(folded(name), folded($app)) OR contains(folded(bundle_id), folded($app))
    QUALIFY coalesce(contains(path, '.app/'), false) = min(coalesce(contains(path, '.app/'), false)) OVER ()
),
-- worked out once a version, not once a row
versions AS (
    SELECT version, version_key(version) AS key, version_below(version, $version) AS is_below
    FROM (SELECT DISTINCT version FROM found)
),
old AS (
    SELECT
        a.device_id,
        max(a.serial_number) AS serial_number,
        string_agg(DISTINCT a.name, ', ' ORDER BY a.name) AS app,
        string_agg(DISTINCT a.bundle_id, ', ' ORDER BY a.bundle_id) AS bundle_id,
        min(v.key) FILTER (v.is_below) AS key,
        coalesce(arg_min(a.version, (v.key, a.version)) FILTER (v.is_below), min(a.version)) AS version,
        bool_or(v.is_below IS NOT NULL) AS version_known,
        count(*) AS copies,
        list(DISTINCT a.version ORDER BY a.version) FILTER (a.version IS NOT NULL) AS versions,
        list(DISTINCT a.path ORDER BY a.path) FILTER (a.path IS NOT NULL) AS paths
    FROM found AS a
    JOIN versions AS v ON v.version IS NOT DISTINCT FROM a.version
    WHERE coalesce(v.is_below, true)
    GROUP BY a.device_id
)
SELECT
    o.device_id,
    d.device_name,
    coalesce(d.serial_number, o.serial_number) AS serial_number,
    d.platform,
    o.app,
    o.bundle_id,
    o.version,
    o.version_known,
    o.copies,
    o.versions,
    o.paths,
    d.user_name,
    d.user_email,
    d.blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM old AS o
LEFT JOIN devices AS d USING (device_id)
ORDER BY o.key NULLS LAST, o.app, d.device_name, o.device_id;
