-- title: Library items that failed
-- description: Library items whose status is ERROR or FAILED, by device, with what the device said of it; a note counts
--   the devices by item, library_item_status counts all states of every item. A device whose status was not read yet has no rows: it takes one request a device, `kandji-mirror sync
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
    coalesce(l.log, l.last_audit_log) AS log,
    d.user_name,
    d.user_email,
    d.blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM device_library_items AS l
LEFT JOIN devices AS d USING (device_id)
WHERE upper(l.status) IN ('ERROR', 'FAILED') AND ($item IS NULL OR contains(folded(l.name), folded($item)))
ORDER BY l.name, l.item_id, d.device_name, l.device_id;
