-- title: Security posture
-- description: On how many of the Macs at a moment the firewall was known to be on.
-- place: 4
SELECT
    'Firewall on' AS fact,
    count(*) FILTER (WHERE t.status) AS n,
    count(*) AS whole,
    count(*) FILTER (WHERE t.status IS NULL) AS unknown
FROM devices_as_of($moment) AS d
LEFT JOIN prism_application_firewall_as_of($moment) AS t USING (device_id)
WHERE d.platform = 'Mac' AND ($blueprint IS NULL OR d.blueprint_name = $blueprint)
HAVING whole > 0;
