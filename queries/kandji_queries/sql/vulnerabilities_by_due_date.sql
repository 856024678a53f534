-- title: Vulnerabilities by the day they are due
-- description: The vulnerabilities that the provider found on devices, with what CISA's catalogue of known exploited
--   vulnerabilities says of them: by when each is due, overdue ones first, then those without a date by score. devices
--   is on how many the mirror has detections of it. Where the catalogue was not read nothing is due, and notes say so.
-- counts: devices
-- for: pictures
-- param: exploited_only bool = false | Whether only those of the catalogue are listed.
-- param: with_remediated bool = false | Whether those are listed too that the provider counts as remediated.
-- chart: bar x=cve_id y=days_overdue unit=days
-- says: {count|vulnerability|vulnerabilities}, {sum overdue} overdue; on most devices is {top cve_id by devices}: {max
--   devices}.
-- column: overdue | 1 where it should have been fixed by now and is not remediated, else 0; NULL where nothing says so.
-- column: days_overdue | Days since the day it was due; below 0 for days to come.
-- column: devices | On how many devices it was found.
-- column: in_catalogue | Whether CISA's catalogue has it; NULL where that was not read.
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
    k.name,
    v.severity,
    v.cvss_score,
    k.due_date,
    date_diff('day', k.due_date, now() AT TIME ZONE 'UTC') AS days_overdue,
    CASE
        WHEN days_overdue IS NOT NULL THEN (days_overdue > 0 AND coalesce(v.status, '') NOT ILIKE 'remediated')::INTEGER
    END AS overdue,
    CASE WHEN (SELECT count(*) FROM known_exploited_vulnerabilities) > 0 THEN k.cve_id IS NOT NULL END AS in_catalogue,
    k.known_ransomware,
    coalesce(d.devices, 0) AS devices,
    v.device_count AS provider_count,
    v.software,
    v.status,
    k.required_action,
    v.first_detection_date,
    coalesce(d.missing, 0) AS missing,
    coalesce(d.removed, 0) AS removed
FROM vulnerabilities AS v
LEFT JOIN detected AS d USING (cve_id)
LEFT JOIN known_exploited_vulnerabilities AS k USING (cve_id)
WHERE
    (NOT $exploited_only OR k.cve_id IS NOT NULL)
    AND ($with_remediated OR coalesce(v.status, '') NOT ILIKE 'remediated')
ORDER BY days_overdue DESC NULLS LAST, v.cvss_score DESC NULLS LAST, devices DESC, v.cve_id;
