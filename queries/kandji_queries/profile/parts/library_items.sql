-- title: Library items
-- description: Every item with its status.
-- most: 100
-- column: status | Status
-- column: type | Kind
-- column: name | Item
SELECT name, type, status, reported_at
FROM device_library_items
WHERE device_id = $device_id
ORDER BY status, name;
