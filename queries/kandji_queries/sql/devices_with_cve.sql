-- title: Devices affected by a CVE
-- description: Every device on which a vulnerability was detected, one row for each piece of software that has it,
--   with its person and blueprint. Empty also where vulnerabilities are not licensed or not read, of which notes tell.
--   Devices marked missing or removed are listed with these flags.
-- param: cve text | Number of the vulnerability, such as CVE-2024-44308.
SELECT
    v.cve_id,
    v.cvss_severity AS severity,
    v.cvss_score,
    v.device_id,
    coalesce(d.device_name, v.device_name) AS device_name,
    coalesce(d.serial_number, v.device_serial_number) AS serial_number,
    d.platform,
    v.name AS software,
    v.version,
    v.path,
    v.first_detection_date,
    v.latest_detection_date,
    d.user_name,
    d.user_email,
    coalesce(d.blueprint_name, v.blueprint_name) AS blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM vulnerability_detections AS v
LEFT JOIN devices AS d USING (device_id)
WHERE folded_id(v.cve_id) = folded_id($cve)
ORDER BY device_name, v.device_id, software, v.version, v.path;
