-- title: Configuration profiles
-- description: Those found on the device.
-- most: 100
-- column: managed | Managed | yes/no
-- column: profile | Profile
SELECT profile_display_name AS profile, payload_identifier, managed
FROM prism_installed_profiles
WHERE device_id = $device_id
ORDER BY profile, payload_identifier;
