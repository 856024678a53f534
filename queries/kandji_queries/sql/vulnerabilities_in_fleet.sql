-- title: Vulnerabilities of the fleet
-- description: Every vulnerability found on some device, those known to be exploited first, then by score; devices is
--   how many the mirror has detections of, provider_count what the provider says. devices_with_cve tells which. Empty
--   also where vulnerabilities are not licensed or not read, of which notes tell.
-- param: severity enum(any, Low, Medium, High, Critical) = any | Which severity.
-- param: exploited_only bool = false | Whether only those known to be exploited are listed.
WITH detected AS (
    SELECT cve_id, count(DISTINCT device_id) AS devices FROM vulnerability_detections GROUP BY cve_id
)
SELECT
    v.cve_id,
    v.severity,
    v.cvss_score,
    v.kev_score > 0 AS known_exploited,
    coalesce(d.devices, 0) AS devices,
    v.device_count AS provider_count,
    v.software,
    v.status,
    v.first_detection_date,
    v.latest_detection_date,
    v.cve_link
FROM vulnerabilities AS v
LEFT JOIN detected AS d USING (cve_id)
WHERE
    ($severity = 'any' OR lower(v.severity) = lower($severity))
    AND (NOT $exploited_only OR v.kev_score > 0)
ORDER BY known_exploited DESC NULLS LAST, v.cvss_score DESC NULLS LAST, devices DESC, v.cve_id;
