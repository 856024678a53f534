-- title: Security posture
-- description: As the device reported it; what is absent is not known.
-- usual: yes
-- one: yes
SELECT
    f.filevault_on,
    f.filevault_key_escrowed,
    f.firewall_on,
    f.gatekeeper_on,
    f.sip_on,
    f.secure_boot_level,
    f.bootstrap_token_escrowed,
    f.activation_lock_on,
    f.activation_lock_by_user,
    f.posture_collected_at
FROM fleet AS f
WHERE f.device_id = $device_id;
