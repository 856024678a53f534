-- title: Devices without a profile
-- description: Apple devices on which a profile was not found. It is meant by its whole display name, identifier or
--   UUID in any letter case; only where no device has such a one, by a part of these. inventory_known is false where
--   no profile of the device is mirrored at all: it may be installed there. Devices marked missing or removed are
--   listed with these flags.
-- counts: devices
-- tells: inventory_known
-- lacks: profile
-- param: profile text | Name or identifier of the profile, or part of one, such as Wi-Fi Corporate.
-- param: platform enum(any, Mac, iPhone, iPad, AppleTV) = any | Which devices.
-- column: inventory_known | Whether any profile of the device is known; without that nothing can be said.
WITH matched AS (
    SELECT
        device_id,
        least(
            text_match($profile, profile_display_name),
            text_match($profile, payload_identifier),
            text_match($profile, payload_uuid)
        ) AS match
    FROM prism_installed_profiles
),
holders AS (
    SELECT device_id FROM matched QUALIFY match = min(match) OVER ()
)
SELECT
    d.device_id,
    d.device_name,
    d.serial_number,
    d.platform,
    d.os_version,
    EXISTS (FROM prism_installed_profiles AS p WHERE p.device_id = d.device_id) AS inventory_known,
    d.user_name,
    d.user_email,
    d.blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM devices AS d
ANTI JOIN holders USING (device_id)
WHERE d.platform IN ('Mac', 'iPhone', 'iPad', 'AppleTV') AND ($platform = 'any' OR d.platform = $platform)
ORDER BY inventory_known DESC, d.device_name, d.device_id;
