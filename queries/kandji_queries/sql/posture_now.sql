-- title: Security posture of the Macs
-- description: For each control of the Macs (FileVault, firewall, Gatekeeper, System Integrity Protection and others)
--   on how many it is on, off, or not known, and how many percent of all the Macs it is known to be on. Not known is a
--   Mac that did not report it; supervision and Recovery Lock only the details tell, one request a Mac. Optionally of
--   one blueprint only, by its whole name in any letter case or its identifier. Macs marked missing or removed are
--   counted, and shown beside. behind names the query that lists the Macs.
-- counts: devices
-- for: pictures
-- param: blueprint text optional | Name or identifier of a blueprint, such as Engineering.
-- chart: stacked x=control y=macs_on,macs_off,unknown unit=devices
-- says: FileVault is on for {first macs_on} of {first macs|Mac|Macs} ({first percent_on} %), off for {first macs_off} and not
--   known for {first unknown}; least is known of {top control by unknown} ({max unknown} not known).
-- column: control | What is on or off.
-- column: macs_on | On how many of the Macs it is on.
-- column: macs_off | On how many it is off.
-- column: percent_on | Percent of all the Macs on which it is known to be on.
-- column: behind | The named query that lists Macs on which it is not, or is not known to be; of locks those that have
--   one.
WITH told AS (
    SELECT
        d.is_missing,
        d.is_removed,
        unnest(
            [
                {'place': 1, 'control': 'FileVault', 'is_on': f.status, 'behind': 'macs_without_filevault'},
                {
                    'place': 2,
                    'control': 'FileVault key escrowed',
                    'is_on': f.key_escrowed,
                    'behind': 'macs_without_escrowed_key'
                },
                {'place': 3, 'control': 'Firewall', 'is_on': w.status, 'behind': 'macs_without_firewall_or_gatekeeper'},
                {
                    'place': 4,
                    'control': 'Gatekeeper',
                    'is_on': g.gatekeeper_status,
                    'behind': 'macs_without_firewall_or_gatekeeper'
                },
                {'place': 5, 'control': 'Integrity (SIP)', 'is_on': s.sip, 'behind': 'macs_without_sip'},
                {'place': 6, 'control': 'Signed system volume', 'is_on': s.ssv, 'behind': NULL},
                {
                    'place': 7,
                    'control': 'Bootstrap token escrowed',
                    'is_on': s.bootstrap_token_escrowed,
                    'behind': NULL
                },
                {'place': 8, 'control': 'Recovery Lock', 'is_on': x.recovery_lock_enabled, 'behind': NULL},
                {
                    'place': 9,
                    'control': 'Activation Lock',
                    'is_on': coalesce(l.user_activation_lock_enabled, x.user_activation_lock_enabled)
                        OR coalesce(l.device_activation_lock_enabled, x.device_activation_lock_enabled),
                    'behind': 'activation_lock'
                },
                {
                    'place': 10,
                    'control': 'Supervised',
                    'is_on': coalesce(x.supervised, d.is_supervised),
                    'behind': NULL
                }
            ],
            recursive := true
        )
    FROM devices AS d
    LEFT JOIN prism_filevault AS f USING (device_id)
    LEFT JOIN prism_application_firewall AS w USING (device_id)
    LEFT JOIN prism_gatekeeper_and_xprotect AS g USING (device_id)
    LEFT JOIN prism_startup_settings AS s USING (device_id)
    LEFT JOIN prism_activation_lock AS l USING (device_id)
    LEFT JOIN device_details AS x USING (device_id)
    WHERE
        d.platform = 'Mac'
        AND ($blueprint IS NULL OR folded(d.blueprint_name) = folded($blueprint) OR d.blueprint_id = $blueprint)
)
SELECT
    control,
    count(*) FILTER (is_on) AS macs_on,
    count(*) FILTER (NOT is_on) AS macs_off,
    count(*) FILTER (is_on IS NULL) AS unknown,
    count(*) AS macs,
    round(100.0 * count(*) FILTER (is_on) / count(*), 1) AS percent_on,
    count(*) FILTER (is_missing) AS missing,
    count(*) FILTER (is_removed) AS removed,
    behind
FROM told
GROUP BY place, control, behind
ORDER BY place;
