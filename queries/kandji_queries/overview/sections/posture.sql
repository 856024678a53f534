-- title: Security posture
-- description: Of how many devices each is known to be well; those of which it is not known are counted beside.
-- place: 4
WITH macs AS (SELECT * FROM fleet WHERE platform = 'Mac'),
told AS (
    SELECT 1 AS place, 'FileVault on' AS fact, filevault_on AS well, 'macs_without_filevault' AS behind FROM macs
    UNION ALL
    SELECT 2, 'FileVault key escrowed', filevault_key_escrowed, 'macs_without_escrowed_key' FROM macs
    UNION ALL
    SELECT 3, 'Firewall on', firewall_on, 'macs_without_firewall_or_gatekeeper' FROM macs
    UNION ALL
    SELECT 4, 'Gatekeeper on', gatekeeper_on, 'macs_without_firewall_or_gatekeeper' FROM macs
    UNION ALL
    SELECT 5, 'Integrity (SIP) on', sip_on, 'macs_without_sip' FROM macs
    UNION ALL
    SELECT 6, 'Not locked by a person', NOT activation_lock_by_user, 'activation_lock'
    FROM fleet
    WHERE platform IN ('Mac', 'iPhone', 'iPad', 'Vision')
)
SELECT
    fact,
    count(*) FILTER (WHERE well) AS n,
    count(*) AS whole,
    count(*) FILTER (WHERE well IS NULL) AS unknown,
    behind
FROM told
GROUP BY ALL
ORDER BY any_value(place);
