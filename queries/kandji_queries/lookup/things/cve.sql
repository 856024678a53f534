-- title: Vulnerabilities
-- description: Vulnerabilities by number and software, with severity and the devices that have them.
WITH found AS (
    SELECT cve_id, count(DISTINCT device_id) AS devices FROM vulnerability_detections GROUP BY cve_id
)
SELECT
    cve_id AS name,
    array_to_string(v.software, ', ') AS also,
    cve_id AS id,
    concat_ws(
        '; ',
        v.severity,
        v.status,
        array_to_string(v.software, ', '),
        format('on {:,} devices', coalesce(f.devices, v.device_count, 0))
    ) AS about,
    coalesce(f.devices, v.device_count, 0) AS weight
FROM vulnerabilities AS v
FULL JOIN found AS f USING (cve_id);
