-- title: Macs without FileVault
-- description: Macs whose disk is not known to be encrypted. filevault is "off" where the Mac reported it off,
--   "unknown" where it reported without saying, and "never reported" where nothing was collected. Macs marked missing
--   or removed are listed with these flags.
-- counts: devices
-- tells: filevault
-- column: filevault | Off, unknown or never reported.
SELECT
    d.device_id,
    d.device_name,
    d.serial_number,
    CASE
        WHEN f.status = false THEN 'off'
        WHEN f.device_id IS NOT NULL THEN 'unknown'
        ELSE 'never reported'
    END AS filevault,
    f.last_collected_at,
    d.os_version,
    d.user_name,
    d.user_email,
    d.blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM devices AS d
LEFT JOIN prism_filevault AS f USING (device_id)
WHERE d.platform = 'Mac' AND f.status IS DISTINCT FROM true
ORDER BY filevault, d.device_name, d.device_id;
