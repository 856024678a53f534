-- title: Security posture
-- description: Of how many Macs each was known to be well at a moment; those of which it was not known are counted beside.
-- place: 3
WITH macs AS (
    SELECT device_id
    FROM devices_as_of($moment)
    WHERE platform = 'Mac' AND ($blueprint IS NULL OR blueprint_name = $blueprint)
),
told AS (
    SELECT 1 AS place, 'FileVault on' AS fact, f.status AS well FROM macs LEFT JOIN prism_filevault_as_of($moment) AS f USING (device_id)
    UNION ALL
    SELECT 2, 'FileVault key escrowed', f.key_escrowed FROM macs LEFT JOIN prism_filevault_as_of($moment) AS f USING (device_id)
    UNION ALL
    SELECT 3, 'Firewall on', w.status FROM macs LEFT JOIN prism_application_firewall_as_of($moment) AS w USING (device_id)
    UNION ALL
    SELECT 4, 'Gatekeeper on', g.gatekeeper_status FROM macs LEFT JOIN prism_gatekeeper_and_xprotect_as_of($moment) AS g USING (device_id)
    UNION ALL
    SELECT 5, 'Integrity (SIP) on', s.sip FROM macs LEFT JOIN prism_startup_settings_as_of($moment) AS s USING (device_id)
)
SELECT
    fact,
    count(*) FILTER (WHERE well) AS n,
    count(*) AS whole,
    count(*) FILTER (WHERE well IS NULL) AS unknown
FROM told
GROUP BY fact
ORDER BY any_value(place);
