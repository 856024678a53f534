-- title: Security posture
-- description: On how many of the Macs at a moment FileVault was known to be on, and its recovery key escrowed.
-- place: 3
SELECT
    'FileVault on' AS fact,
    count(*) FILTER (WHERE t.status) AS n,
    count(*) AS whole,
    count(*) FILTER (WHERE t.status IS NULL) AS unknown
FROM devices_as_of($moment) AS d
LEFT JOIN prism_filevault_as_of($moment) AS t USING (device_id)
WHERE d.platform = 'Mac' AND ($blueprint IS NULL OR d.blueprint_name = $blueprint)
HAVING whole > 0
UNION ALL
SELECT
    'FileVault key escrowed' AS fact,
    count(*) FILTER (WHERE t.key_escrowed) AS n,
    count(*) AS whole,
    count(*) FILTER (WHERE t.key_escrowed IS NULL) AS unknown
FROM devices_as_of($moment) AS d
LEFT JOIN prism_filevault_as_of($moment) AS t USING (device_id)
WHERE d.platform = 'Mac' AND ($blueprint IS NULL OR d.blueprint_name = $blueprint)
HAVING whole > 0;
