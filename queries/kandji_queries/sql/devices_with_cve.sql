-- title: Devices affected by a CVE
-- description: Every device on which a vulnerability was detected, one row for each piece of software that has it,
--   with its person and blueprint. remediated is true where the provider counts the vulnerability as remedied in the
--   whole fleet: its detections stay listed. Empty also where vulnerabilities are not licensed or not read, of which notes tell.
--   Devices marked missing or removed are listed with these flags.
-- counts: devices
-- param: cve text | Number of the vulnerability, such as CVE-2024-44308.
-- column: cve_status | What the provider says of the vulnerability in the whole fleet.
-- column: remediated | Whether it counts as remedied in the whole fleet.
SELECT
    v.cve_id,
    v.cvss_severity AS severity,
    v.cvss_score,
    f.status AS cve_status,
    lower(f.status) IN ('remediated', 'resolved', 'fixed') AS remediated,
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
LEFT JOIN vulnerabilities AS f ON f.cve_id = v.cve_id
WHERE folded_id(v.cve_id) = folded_id($cve)
ORDER BY device_name, v.device_id, software, v.version, v.path;
