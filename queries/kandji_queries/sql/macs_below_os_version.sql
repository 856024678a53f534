-- title: Macs below a macOS version
-- description: Macs whose macOS is older than a version, with their users. A Mac whose version is missing or cannot be
--   ordered against that one is listed too, with version_known false. Macs marked missing or removed are listed with these flags.
-- counts: devices
-- param: version version = 14.0 | The oldest version that is new enough, such as 14.0 or 15.1.1.
-- column: version_known | Whether the version can be compared.
SELECT
    device_id,
    device_name,
    serial_number,
    model,
    os_version,
    version_below(os_version, $version) IS NOT NULL AS version_known,
    user_name,
    user_email,
    blueprint_name,
    last_check_in,
    is_missing,
    is_removed
FROM devices
WHERE
    platform = 'Mac'
    AND coalesce(version_below(os_version, $version), true)
ORDER BY version_key(os_version) NULLS LAST, device_name, device_id;
