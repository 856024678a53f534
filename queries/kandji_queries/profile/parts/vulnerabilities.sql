-- title: Vulnerabilities
-- description: total counts them all.
-- usual: yes
-- most: 5
-- column: cve_id | CVE
-- column: score | Score
-- column: software | Software
SELECT cve_id, max(cvss_score) AS score, max(cvss_severity) AS severity, string_agg(DISTINCT name, ', ') AS software
FROM vulnerability_detections
WHERE device_id = $device_id
GROUP BY cve_id
ORDER BY score DESC NULLS LAST, cve_id;
