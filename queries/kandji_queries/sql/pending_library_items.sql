-- title: Library items that are pending
-- description: Library items that wait on a device: pending, downloading, installing, available, cached or about to
--   change, updates of managed apps included. Updates of the operating system are not among them: the provider lists
--   none. A device whose status was not read yet has no rows: it takes one request a device, `kandji-mirror sync
--   device_library_items` reads them all. Devices marked missing or removed are listed with these flags.
-- counts: devices
-- tells: item
-- param: item text optional | Part of the item's name.
SELECT
    l.name AS item,
    l.type,
    l.status,
    l.device_id,
    d.device_name,
    d.serial_number,
    d.platform,
    l.reported_at,
    d.user_name,
    d.user_email,
    d.blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM device_library_items AS l
LEFT JOIN devices AS d USING (device_id)
WHERE
    upper(l.status) IN ('PENDING', 'DOWNLOADING', 'INSTALLING', 'AVAILABLE', 'CACHED', 'CHANGE_PENDING')
    AND ($item IS NULL OR contains(folded(l.name), folded($item)))
ORDER BY l.name, l.item_id, d.device_name, l.device_id;
