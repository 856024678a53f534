-- title: Devices by their critical vulnerabilities
-- description: One row a device with vulnerabilities of a severity or worse, most first: how many, how many of these are
--   known to be exploited, the worst score, the CVEs and the software that has them. A vulnerability counts once,
--   however many copies of the software have it. What the provider counts as remediated is left out unless it is asked
--   for. Empty also where vulnerabilities are not licensed or not read, of which notes tell. Devices marked missing or
--   removed are listed with these flags.
-- counts: devices
-- ranks: cves
-- param: severity enum(Critical, High, Medium, Low) = Critical | This severity or worse.
-- param: with_remediated bool = false | Whether those count that are remediated.
-- chart: bar x=device_name y=cves unit=vulnerabilities
-- says: {count|device has|devices have} vulnerabilities of severity {$severity} or worse; {first device_name} most:
--   {first cves}.
-- column: cves | Number of vulnerabilities.
-- column: known_exploited | How many of them are known to be exploited.
-- column: worst_score | The highest CVSS score.
-- column: cve_ids | The vulnerabilities.
-- column: software | The software that has them.
-- column: first_detected | When the first of them was detected.
WITH ranked AS (
    SELECT
        v.device_id,
        v.cve_id,
        v.cvss_score,
        v.name,
        v.first_detection_date,
        f.kev_score,
        v.device_name,
        v.device_serial_number AS serial_number
    FROM vulnerability_detections AS v
    LEFT JOIN vulnerabilities AS f USING (cve_id)
    WHERE
        list_position(['critical', 'high', 'medium', 'low'], lower(coalesce(v.cvss_severity, f.severity)))
        <= list_position(['critical', 'high', 'medium', 'low'], lower($severity))
        AND ($with_remediated OR coalesce(lower(f.status) NOT IN ('remediated', 'resolved', 'fixed'), true))
),
counted AS (
    SELECT
        device_id,
        min(device_name) AS device_name,
        min(serial_number) AS serial_number,
        count(DISTINCT cve_id) AS cves,
        count(DISTINCT cve_id) FILTER (kev_score > 0) AS known_exploited,
        max(cvss_score) AS worst_score,
        list(DISTINCT cve_id ORDER BY cve_id DESC) AS cve_ids,
        list(DISTINCT name ORDER BY name) AS software,
        min(first_detection_date) AS first_detected
    FROM ranked
    GROUP BY device_id
)
SELECT
    c.device_id,
    coalesce(d.device_name, c.device_name) AS device_name,
    coalesce(d.serial_number, c.serial_number) AS serial_number,
    d.platform,
    d.os_version,
    c.cves,
    c.known_exploited,
    c.worst_score,
    c.cve_ids,
    c.software,
    c.first_detected,
    d.user_name,
    d.user_email,
    d.blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM counted AS c
LEFT JOIN devices AS d USING (device_id)
ORDER BY c.cves DESC, c.known_exploited DESC, c.worst_score DESC NULLS LAST, device_name, c.device_id;
