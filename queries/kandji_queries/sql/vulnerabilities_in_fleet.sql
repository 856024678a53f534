-- title: Vulnerabilities of the fleet
-- description: Every vulnerability found on some device, those known to be exploited first, then by score; devices is
--   how many the mirror has detections of, provider_count what the provider says. devices_with_cve tells which. Those
--   that the provider counts as remediated are listed with that status, and keep their detections. Empty
--   also where vulnerabilities are not licensed or not read, of which notes tell.
-- counts: devices
-- param: severity enum(any, Low, Medium, High, Critical) = any | Which severity.
-- param: exploited_only bool = false | Whether only those known to be exploited are listed.
-- says: {count|vulnerability|vulnerabilities}; on most devices is {top cve_id by devices}: {max devices}.
-- column: known_exploited | Whether it is known to be exploited.
-- leads: devices to devices_with_cve(cve=cve_id)
WITH detected AS (
    SELECT
        v.cve_id,
        count(DISTINCT v.device_id) AS devices,
        count(DISTINCT v.device_id) FILTER (d.is_missing) AS missing,
        count(DISTINCT v.device_id) FILTER (d.is_removed) AS removed
    FROM vulnerability_detections AS v
    LEFT JOIN devices AS d USING (device_id)
    GROUP BY v.cve_id
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
    v.cve_link,
    coalesce(d.missing, 0) AS missing,
    coalesce(d.removed, 0) AS removed
FROM vulnerabilities AS v
LEFT JOIN detected AS d USING (cve_id)
WHERE
    ($severity = 'any' OR lower(v.severity) = lower($severity))
    AND (NOT $exploited_only OR v.kev_score > 0)
ORDER BY known_exploited DESC NULLS LAST, v.cvss_score DESC NULLS LAST, devices DESC, v.cve_id;
