-- title: Apps that are on a device twice
-- description: Apps of which a device has copies at several paths, such as one in Applications and one in a home folder;
--   one row a device and app (by bundle identifier, or by name where it has none). What lies inside another app is no
--   copy. Devices marked missing or removed are listed with these flags.
-- counts: devices
-- param: app text optional | Part of the app's name or bundle identifier.
-- column: versions | Versions of the copies.
-- column: paths | Where the copies are.
WITH copied AS (
    SELECT
        device_id,
        coalesce(bundle_id, name) AS key,
        min(name) AS app,
        any_value(bundle_id) AS bundle_id,
        count(*) AS copies,
        list(DISTINCT version ORDER BY version) FILTER (version IS NOT NULL) AS versions,
        list(DISTINCT path ORDER BY path) AS paths
    FROM apps
    WHERE
        path IS NOT NULL
        AND NOT contains(path, '.app/')
        AND ($app IS NULL OR contains(folded(name), folded($app)) OR contains(folded(bundle_id), folded($app)))
    GROUP BY device_id, coalesce(bundle_id, name)
    HAVING len(paths) > 1
)
SELECT
    c.device_id,
    d.device_name,
    d.serial_number,
    d.platform,
    c.app,
    c.bundle_id,
    c.copies,
    c.versions,
    c.paths,
    d.user_name,
    d.user_email,
    d.blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM copied AS c
LEFT JOIN devices AS d USING (device_id)
ORDER BY c.app, c.key, d.device_name, c.device_id;
