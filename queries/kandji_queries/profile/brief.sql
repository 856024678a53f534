-- title: Several devices in short
-- description: What matters most of each, one row a device, the one in contact last first.
-- most: 8
-- column: model | Model
-- column: serial_number | Serial number
-- column: os_version | OS version
-- column: user_name | Person
-- column: blueprint_name | Blueprint
-- column: last_check_in | Last check-in
-- column: is_missing | Marked missing | yes/no
-- column: is_removed | Marked removed | yes/no
-- column: filevault_on | FileVault | on/off | Mac
-- column: filevault_key_escrowed | FileVault key escrowed | yes/no | Mac
-- column: activation_lock | Activation Lock | | Mac, iPhone, iPad, Vision
-- column: lost_mode | Lost mode | | iPhone, iPad
-- column: compliant | Compliant
-- column: failed_rules | Rules that fail
-- column: failed_items | Items that failed
-- column: cves | Vulnerabilities
-- column: malware | Malware
-- column: contradictions | Contradictions
SELECT
    f.device_id,
    f.device_name,
    f.platform,
    f.model,
    f.serial_number,
    f.os_version,
    f.user_name,
    f.user_email,
    f.blueprint_name,
    f.last_check_in,
    f.is_missing,
    f.is_removed,
    f.filevault_on,
    f.filevault_key_escrowed,
    CASE
        WHEN f.activation_lock_by_user THEN 'a person''s'
        WHEN f.activation_lock_on THEN 'device-based'
        WHEN NOT f.activation_lock_on THEN 'off'
    END AS activation_lock,
    CASE
        WHEN upper(f.lost_mode_status) = 'ENABLED' THEN 'on'
        WHEN f.platform IN ('iPhone', 'iPad') THEN 'off'
    END AS lost_mode,
    CASE WHEN c.is_compliant THEN 'yes' WHEN NOT c.is_compliant THEN 'no' WHEN c.rules > 0 THEN 'not known' END AS compliant,
    c.failed_rules,
    f.failed_items,
    coalesce(v.cves, CASE WHEN s.cves_read THEN 0 END) AS cves,
    coalesce(t.malware, CASE WHEN s.malware_read THEN 0 END) AS malware,
    coalesce(x.rules, []) AS contradictions
FROM fleet AS f
LEFT JOIN compliance_devices AS c USING (device_id)
LEFT JOIN (
    SELECT device_id, count(DISTINCT cve_id) AS cves
    FROM vulnerability_detections
    WHERE list_contains($devices, device_id)
    GROUP BY device_id
) AS v USING (device_id)
LEFT JOIN (
    SELECT device_id, count(*) AS malware FROM threats WHERE list_contains($devices, device_id) GROUP BY device_id
) AS t USING (device_id)
LEFT JOIN (
    SELECT device_id, list(rule ORDER BY rule) AS rules
    FROM contradictions
    WHERE list_contains($devices, device_id)
    GROUP BY device_id
) AS x USING (device_id)
CROSS JOIN (
    SELECT
        bool_or(table_name = 'vulnerability_detections' AND synced_at IS NOT NULL) AS cves_read,
        bool_or(table_name = 'threats' AND synced_at IS NOT NULL) AS malware_read
    FROM freshness
) AS s
WHERE list_contains($devices, f.device_id)
ORDER BY f.last_check_in DESC NULLS LAST, f.device_name, f.device_id;
