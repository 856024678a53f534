-- title: Configuration profiles
-- description: Those found on the device.
-- most: 100
SELECT profile_display_name AS profile, payload_identifier, managed
FROM prism_installed_profiles
WHERE device_id = $device_id
ORDER BY profile, payload_identifier;
