-- title: Security posture
-- description: On how many of the Macs at a moment Gatekeeper was known to be on.
-- place: 5
SELECT
    'Gatekeeper on' AS fact,
    count(*) FILTER (WHERE t.gatekeeper_status) AS n,
    count(*) AS whole,
    count(*) FILTER (WHERE t.gatekeeper_status IS NULL) AS unknown
FROM devices_as_of($moment) AS d
LEFT JOIN prism_gatekeeper_and_xprotect_as_of($moment) AS t USING (device_id)
WHERE d.platform = 'Mac' AND ($blueprint IS NULL OR d.blueprint_name = $blueprint)
HAVING whole > 0;
