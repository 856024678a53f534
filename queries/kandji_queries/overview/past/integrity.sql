-- title: Security posture
-- description: On how many of the Macs at a moment System Integrity Protection was known to be on.
-- place: 6
SELECT
    'Integrity (SIP) on' AS fact,
    count(*) FILTER (WHERE t.sip) AS n,
    count(*) AS whole,
    count(*) FILTER (WHERE t.sip IS NULL) AS unknown
FROM devices_as_of($moment) AS d
LEFT JOIN prism_startup_settings_as_of($moment) AS t USING (device_id)
WHERE d.platform = 'Mac' AND ($blueprint IS NULL OR d.blueprint_name = $blueprint)
HAVING whole > 0;
