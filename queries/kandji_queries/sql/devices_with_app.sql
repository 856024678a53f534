-- title: Devices with an app
-- description: Every device on which an app is installed, with the version; one row for each copy found. The app is
--   found by a part of its name or bundle identifier in any letter case. What lies inside another app, as the helpers
--   of Chrome do, is left out, unless nothing else is found. Devices marked missing or removed are listed
--   with these flags; a device that is no longer in the device list has an empty name.
-- counts: devices
-- tells: app
-- param: app text | Part of the app's name or bundle identifier, such as zoom or us.zoom.xos.
SELECT
    a.device_id,
    d.device_name,
    coalesce(d.serial_number, a.serial_number) AS serial_number,
    d.platform,
    a.name AS app,
    a.bundle_id,
    a.version,
    a.path,
    d.user_name,
    d.user_email,
    d.blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM apps AS a
LEFT JOIN devices AS d USING (device_id)
WHERE contains(folded(a.name), folded($app)) OR contains(folded(a.bundle_id), folded($app))
QUALIFY coalesce(contains(a.path, '.app/'), false) = min(coalesce(contains(a.path, '.app/'), false)) OVER ()
ORDER BY a.name, d.device_name, a.device_id, a.path;
