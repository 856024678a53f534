-- title: Devices that fail compliance and have severe vulnerabilities or malware
-- description: Devices that fail a rule of compliance and on which severe vulnerabilities or malware were detected:
--   the rules, the CVEs, the worst score, and how many detections of malware were not quarantined. Severe is a CVSS
--   score from the given one on, or a severity of High or Critical; what the provider counts as remediated is left out.
--   Both kinds of detection are licensed apart and
--   notes tell where one is missing. Devices of unknown compliance are not listed. Those marked missing or removed
--   have these flags.
-- counts: devices
-- param: least_score float = 7 [0, 10] | The lowest CVSS score that counts as severe.
-- column: severe_cves | Number of severe vulnerabilities.
-- column: worst_score | The highest CVSS score among them.
-- column: malware_detections | Number of detections of malware.
-- column: not_quarantined | How many of them were not quarantined.
-- column: malware_names | Names of the malware.
WITH severe AS (
    SELECT device_id, count(DISTINCT cve_id) AS severe_cves, max(cvss_score) AS worst_score
    FROM vulnerability_detections
    ANTI JOIN (
        SELECT cve_id FROM vulnerabilities WHERE lower(status) IN ('remediated', 'resolved', 'fixed')
    ) USING (cve_id)
    WHERE cvss_score >= $least_score OR lower(cvss_severity) IN ('high', 'critical')
    GROUP BY device_id
),
malware AS (
    SELECT
        device_id,
        count(*) AS malware_detections,
        count(*) FILTER (status IS DISTINCT FROM 'QUARANTINED') AS not_quarantined,
        list(DISTINCT threat_name ORDER BY threat_name) AS malware_names
    FROM threats
    WHERE upper(classification) = 'MALWARE'
    GROUP BY device_id
)
SELECT
    d.device_id,
    d.device_name,
    d.serial_number,
    d.platform,
    c.failed_rules,
    coalesce(s.severe_cves, 0) AS severe_cves,
    s.worst_score,
    coalesce(m.malware_detections, 0) AS malware_detections,
    coalesce(m.not_quarantined, 0) AS not_quarantined,
    m.malware_names,
    d.user_name,
    d.user_email,
    d.blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM compliance_devices AS c
JOIN devices AS d USING (device_id)
LEFT JOIN severe AS s USING (device_id)
LEFT JOIN malware AS m USING (device_id)
WHERE NOT c.is_compliant AND (s.device_id IS NOT NULL OR m.device_id IS NOT NULL)
ORDER BY not_quarantined DESC, malware_detections DESC, s.worst_score DESC NULLS LAST, d.device_name, d.device_id;
