-- title: Macs with System Integrity Protection off
-- description: Macs that report System Integrity Protection (SIP) as off, then Macs of which it is not known (sip_on
--   is empty).
-- counts: devices
-- tells: sip_on
-- param: with_unknown bool = true | Whether Macs of unknown state are listed too.
-- column: sip_on | Whether System Integrity Protection is on; empty where it is not known.
SELECT
    d.device_id,
    d.device_name,
    d.serial_number,
    d.os_version,
    s.sip AS sip_on,
    s.secure_boot_level,
    s.last_collected_at,
    d.user_name,
    d.user_email,
    d.blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM devices AS d
LEFT JOIN prism_startup_settings AS s USING (device_id)
WHERE d.platform = 'Mac' AND NOT coalesce(s.sip, NOT $with_unknown)
ORDER BY s.sip NULLS LAST, d.device_name, d.device_id;
