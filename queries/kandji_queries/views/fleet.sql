-- title: The fleet, one wide row a device
-- description: One row per device of the device list with what most questions need: identity, user, blueprint, contact,
--   hardware and the security posture as Prism reports it. A posture that is NULL is not known: the platform has none
--   or the device has not reported it. Devices marked missing or removed are included; see is_missing and is_removed.
-- column: hours_since_check_in | Hours since last_check_in at the moment of the query.
-- column: model_name | Model as marketed, from Prism.
-- column: os_marketing_name | Name of the operating system, such as Sonoma.
-- column: filevault_on | Whether FileVault is on.
-- column: filevault_key_escrowed | Whether the FileVault recovery key is escrowed.
-- column: filevault_key_type | Kind of FileVault recovery key.
-- column: firewall_on | Whether the application firewall is on.
-- column: firewall_stealth_mode | Whether the firewall's stealth mode is on.
-- column: gatekeeper_on | Whether Gatekeeper is on.
-- column: xprotect_version | Version of XProtect.
-- column: sip_on | Whether System Integrity Protection is on.
-- column: secure_boot_level | Level of secure boot.
-- column: bootstrap_token_escrowed | Whether the bootstrap token is escrowed.
-- column: activation_lock_on | Whether Activation Lock is on, device-based or a person's own.
-- column: activation_lock_by_user | Whether it is a person's own Activation Lock.
-- column: posture_collected_at | When the device last reported its FileVault state: the age of the security facts.
SELECT
    d.device_id,
    d.device_name,
    d.serial_number,
    d.platform,
    d.model,
    i.model_name,
    i.apple_silicon,
    i.device_capacity,
    i.battery_health,
    d.os_version,
    i.marketing_name AS os_marketing_name,
    d.user_id,
    d.user_name,
    d.user_email,
    d.asset_tag,
    d.tags,
    d.blueprint_id,
    d.blueprint_name,
    d.last_check_in,
    epoch((now() AT TIME ZONE 'UTC') - d.last_check_in) / 3600 AS hours_since_check_in,
    d.first_enrollment,
    d.last_enrollment,
    d.mdm_enabled,
    d.agent_installed,
    d.agent_version,
    d.is_missing,
    d.is_removed,
    d.lost_mode_status,
    f.status AS filevault_on,
    f.key_escrowed AS filevault_key_escrowed,
    f.key_type AS filevault_key_type,
    w.status AS firewall_on,
    w.stealth_mode AS firewall_stealth_mode,
    g.gatekeeper_status AS gatekeeper_on,
    g.xprotect_version,
    s.sip AS sip_on,
    s.secure_boot_level,
    s.bootstrap_token_escrowed,
    l.device_activation_lock_enabled OR l.user_activation_lock_enabled AS activation_lock_on,
    l.user_activation_lock_enabled AS activation_lock_by_user,
    f.last_collected_at AS posture_collected_at
FROM devices AS d
LEFT JOIN prism_device_information AS i USING (device_id)
LEFT JOIN prism_filevault AS f USING (device_id)
LEFT JOIN prism_application_firewall AS w USING (device_id)
LEFT JOIN prism_gatekeeper_and_xprotect AS g USING (device_id)
LEFT JOIN prism_startup_settings AS s USING (device_id)
LEFT JOIN prism_activation_lock AS l USING (device_id);
