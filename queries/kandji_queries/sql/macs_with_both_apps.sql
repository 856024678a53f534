-- title: Macs that have two apps
-- description: Macs on which both of two apps are installed, with the versions of each; one row a Mac, however many copies
--   it has. Apps are found by a part of their name or bundle identifier in any letter case. Macs marked missing or
--   removed are listed with these flags.
-- counts: devices
-- param: app text | Part of the name or bundle identifier of one app, such as zoom.
-- param: other_app text | The same of the other, such as teams.
-- column: versions | Versions of the app on the Mac.
-- column: other_app | Name of the other app.
-- column: other_versions | Its versions on the Mac.
WITH found AS (
    SELECT
        device_id,
        name,
        version,
        contains(folded(name), folded($app)) OR contains(folded(bundle_id), folded($app)) AS is_one,
        contains(folded(name), folded($other_app)) OR contains(folded(bundle_id), folded($other_app)) AS is_other
    FROM apps
    WHERE NOT coalesce(contains(path, '.app/'), false)
),
holders AS (
    SELECT
        device_id,
        string_agg(DISTINCT name, ', ' ORDER BY name) FILTER (is_one) AS app,
        list(DISTINCT version ORDER BY version) FILTER (is_one AND version IS NOT NULL) AS versions,
        string_agg(DISTINCT name, ', ' ORDER BY name) FILTER (is_other) AS other_app,
        list(DISTINCT version ORDER BY version) FILTER (is_other AND version IS NOT NULL) AS other_versions
    FROM found
    WHERE is_one OR is_other
    GROUP BY device_id
    HAVING bool_or(is_one) AND bool_or(is_other)
)
SELECT
    d.device_id,
    d.device_name,
    d.serial_number,
    d.os_version,
    b.app,
    b.versions,
    b.other_app,
    b.other_versions,
    d.user_name,
    d.user_email,
    d.blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM holders AS b
JOIN devices AS d USING (device_id)
WHERE d.platform = 'Mac'
ORDER BY d.device_name, d.device_id;
