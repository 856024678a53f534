-- title: Security posture
-- description: As the device reported it; what is absent is not known.
-- usual: yes
-- one: yes
-- column: filevault_on | FileVault | on/off | Mac
-- column: filevault_key_escrowed | FileVault key escrowed | yes/no | Mac
-- column: firewall_on | Firewall | on/off | Mac
-- column: gatekeeper_on | Gatekeeper | on/off | Mac
-- column: sip_on | Integrity (SIP) | on/off | Mac
-- column: secure_boot_level | Secure boot | | Mac
-- column: bootstrap_token_escrowed | Bootstrap token | escrowed/not escrowed | Mac
-- column: remote_desktop_enabled | Remote desktop | on/off | Mac
-- column: xprotect_version | XProtect | | Mac
-- column: is_encrypted | Storage encrypted | yes/no | Android
-- column: has_passcode | Passcode set | yes/no | Android
-- column: posture_collected_at | Reported | | Mac
SELECT
    f.filevault_on,
    f.filevault_key_escrowed,
    f.firewall_on,
    f.gatekeeper_on,
    f.sip_on,
    f.secure_boot_level,
    f.bootstrap_token_escrowed,
    x.remote_desktop_enabled,
    f.xprotect_version,
    x.is_encrypted,
    x.has_passcode,
    f.posture_collected_at
FROM fleet AS f
LEFT JOIN device_details AS x USING (device_id)
WHERE f.device_id = $device_id;
