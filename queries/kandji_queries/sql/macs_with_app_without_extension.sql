-- title: Macs with an app and without its extension
-- description: Macs on which an app is installed and no kernel or system extension that fits, such as an agent that was
--   never allowed to start. The app is found by a part of its name or bundle identifier, the extension also by its team
--   identifier, in any letter case. inventory_known is false where no extension of the Mac is mirrored at all: there
--   it may be and not be reported. Macs marked missing or removed are listed with these flags.
-- counts: devices
-- param: app text | Part of the app's name or bundle identifier, such as falcon.
-- param: extension text | Part of the extension's identifier or name, or its team identifier, such as crowdstrike.
-- column: versions | Versions of the app on the Mac.
-- column: inventory_known | Whether any extension of the Mac is mirrored.
WITH extensions AS (
    SELECT device_id, bundle_id AS identifier, NULL AS name, NULL AS team_id FROM prism_kernel_extensions
    UNION ALL
    SELECT device_id, identifier, name, team_id FROM prism_system_extensions
),
holders AS (
    SELECT
        device_id,
        string_agg(DISTINCT name, ', ' ORDER BY name) AS app,
        list(DISTINCT version ORDER BY version) FILTER (version IS NOT NULL) AS versions
    FROM apps
    WHERE contains(folded(name), folded($app)) OR contains(folded(bundle_id), folded($app))
    GROUP BY device_id
),
extended AS (
    SELECT device_id
    FROM extensions
    WHERE
        contains(folded(identifier), folded($extension))
        OR contains(folded(name), folded($extension))
        OR folded_id(team_id) = folded_id($extension)
)
SELECT
    d.device_id,
    d.device_name,
    d.serial_number,
    d.os_version,
    h.app,
    h.versions,
    EXISTS (FROM extensions AS e WHERE e.device_id = d.device_id) AS inventory_known,
    d.user_name,
    d.user_email,
    d.blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM holders AS h
JOIN devices AS d USING (device_id)
ANTI JOIN extended USING (device_id)
WHERE d.platform = 'Mac'
ORDER BY inventory_known DESC, d.device_name, d.device_id;
