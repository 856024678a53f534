-- title: Macs without an app
-- description: Macs on which no app was found whose name or bundle identifier contains a text, in any letter case.
--   inventory_known is false for a Mac of which no apps at all are mirrored: there the app may be installed and not
--   yet reported. Where no device at all has such an app, as after a slip of the pen, none is listed;
--   known_app=false lists all then. Macs marked missing or removed are listed with these flags.
-- counts: devices
-- tells: inventory_known
-- lacks: app
-- param: app text | Part of the app's name or bundle identifier, such as falcon.
-- param: known_app bool = true | Whether some device has to have such an app; false lists all Macs where none has it.
-- column: inventory_known | Whether any app of the Mac is known; without that nothing can be said.
SELECT
    d.device_id,
    d.device_name,
    d.serial_number,
    d.os_version,
    EXISTS (FROM apps AS a WHERE a.device_id = d.device_id) AS inventory_known,
    d.user_name,
    d.user_email,
    d.blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM devices AS d
WHERE
    d.platform = 'Mac'
    AND d.device_id NOT IN (
        SELECT a.device_id
        FROM apps AS a
        WHERE
            a.device_id IS NOT NULL
            AND (contains(folded(a.name), folded($app)) OR contains(folded(a.bundle_id), folded($app)))
    )
    AND (
        NOT $known_app
        OR EXISTS (
            FROM main.apps AS a
            WHERE contains(folded(a.name), folded($app)) OR contains(folded(a.bundle_id), folded($app))
        )
    )
ORDER BY inventory_known DESC, d.device_name, d.device_id;
