-- title: Macs with FileVault on and no escrowed key
-- description: Macs whose FileVault is on and whose recovery key is not escrowed (key_escrowed is false), or of which
--   that is not known (it is empty). Macs whose FileVault is off or not known are not listed: see
--   macs_without_filevault.
-- counts: devices
-- tells: key_escrowed
SELECT
    d.device_id,
    d.device_name,
    d.serial_number,
    d.os_version,
    f.key_escrowed,
    f.key_type,
    f.regeneration_needed,
    f.scheduled_key_rotation,
    f.last_collected_at,
    d.user_name,
    d.user_email,
    d.blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM devices AS d
JOIN prism_filevault AS f USING (device_id)
WHERE d.platform = 'Mac' AND f.status AND f.key_escrowed IS DISTINCT FROM true
ORDER BY f.key_escrowed, d.device_name, d.device_id;
