-- title: Devices without a certificate
-- description: Apple devices on which a certificate was not found, meant by its whole common name in any letter case;
--   only where no device has such a one, by a part of it. inventory_known is false where no certificate of the device is
--   mirrored at all: it may be installed there. Devices marked missing or removed are listed with these flags.
-- counts: devices
-- param: certificate text | Common name of the certificate, or part of it, such as Corp Root CA.
-- param: platform enum(any, Mac, iPhone, iPad, AppleTV) = any | Which devices.
-- column: inventory_known | Whether any certificate of the device is mirrored.
WITH matched AS (
    SELECT device_id, text_match($certificate, common_name) AS match
    FROM prism_certificates
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
    EXISTS (FROM prism_certificates AS c WHERE c.device_id = d.device_id) AS inventory_known,
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
