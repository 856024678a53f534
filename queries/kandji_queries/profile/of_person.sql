-- title: Devices of a person who is called just so
-- description: Where a text is the whole address or name of a person, whatever their devices are called.
SELECT device_id, device_name, serial_number, platform, model, user_name, last_check_in, is_missing, is_removed
FROM devices
WHERE text_match($device, user_email) = 1 OR text_match($device, user_name) = 1
ORDER BY last_check_in DESC NULLS LAST, device_name, device_id;
