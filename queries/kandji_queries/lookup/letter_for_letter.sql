-- title: Devices that have a text as identifier or number in this very spelling
-- description: Two at most: of several it is not known which one is meant.
SELECT device_id
FROM devices
WHERE $device IN (device_id, serial_number, asset_tag)
LIMIT 2;
