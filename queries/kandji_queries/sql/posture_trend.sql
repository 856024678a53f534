-- title: Security posture of the Macs day by day
-- description: On how many Macs FileVault, the firewall, Gatekeeper and System Integrity Protection were on, off or
--   not known at the end of each of the last days (UTC; today: now), among all Macs that were in the device list then,
--   and the share of those on which each was known to be on. Not known is a Mac that did not report it. Put together
--   from the changes the mirror has seen: days before its history began are left out, and a change counts for the day
--   the mirror saw it. Macs marked missing or removed are counted. filevault_coverage counts Macs that have reported
--   only.
-- param: days int = 30 [1, 3650] | Days back.
-- param: control enum(any, FileVault, Firewall, Gatekeeper, SIP) = any | Which of them.
-- chart: line x=day y=percent_on by=control unit=percent
-- says: From {first day} to {last day}, of {last macs|Mac|Macs} on the last day: known to be on for {min percent_on} % to
--   {max percent_on} %.
-- since: (now() AT TIME ZONE 'UTC')::DATE - $days::INTEGER
-- column: day | The day, UTC.
-- column: control | FileVault, Firewall, Gatekeeper or SIP.
-- column: macs_on | On how many of the Macs it was on.
-- column: macs_off | On how many it was off.
-- column: macs | Number of Macs in the device list.
-- column: percent_on | Percent of all the Macs on which it was known to be on.
WITH utc AS (SELECT now() AT TIME ZONE 'UTC' AS moment),
controls AS (
    FROM (
        VALUES
            (1, 'FileVault', 'prism_filevault'),
            (2, 'Firewall', 'prism_application_firewall'),
            (3, 'Gatekeeper', 'prism_gatekeeper_and_xprotect'),
            (4, 'SIP', 'prism_startup_settings')
    ) AS c(place, control, table_name)
    WHERE $control = 'any' OR control = $control
),
-- the day after today is that of changes from a clock that was ahead: they had not happened at any of these moments
days AS (
    SELECT unnest(generate_series(today - $days::INTEGER, today + 1, INTERVAL 1 DAY))::DATE AS day, today
    FROM (SELECT moment::DATE AS today FROM utc)
),
begins AS (
    SELECT
        c.control,
        greatest(coalesce(h.since, utc.moment), coalesce(l.since, utc.moment)) AS since
    FROM controls AS c
    CROSS JOIN utc
    LEFT JOIN history AS h USING (table_name)
    LEFT JOIN history AS l ON l.table_name = 'devices'
),
reported AS (
    SELECT 'FileVault' AS control, device_id, status AS is_on FROM prism_filevault
    UNION ALL
    SELECT 'Firewall', device_id, status FROM prism_application_firewall
    UNION ALL
    SELECT 'Gatekeeper', device_id, gatekeeper_status FROM prism_gatekeeper_and_xprotect
    UNION ALL
    SELECT 'SIP', device_id, sip FROM prism_startup_settings
),
live AS (
    SELECT c.control, d.device_id, coalesce(r.is_on::VARCHAR, 'unknown') AS state
    FROM controls AS c
    CROSS JOIN devices AS d
    LEFT JOIN reported AS r ON r.control = c.control AND r.device_id = d.device_id
    WHERE d.platform = 'Mac'
),
seen AS (
    SELECT
        c.device_id,
        c.changed_at,
        c.table_name,
        CASE
            WHEN c.change = 'changed' THEN c.old_value
            WHEN c.change = 'removed'
                THEN r.old_row ->> CASE c.table_name
                    WHEN 'devices' THEN '$.platform'
                    WHEN 'prism_gatekeeper_and_xprotect' THEN '$.gatekeeper_status'
                    WHEN 'prism_startup_settings' THEN '$.sip'
                    ELSE '$.status'
                END
        END AS before
    FROM changes AS c
    CROSS JOIN utc
    LEFT JOIN removed_rows AS r
        ON r.table_name = c.table_name
        AND r.device_id = c.device_id
        AND r.removed_at = c.changed_at
        AND c.change = 'removed'
    WHERE
        c.table_name IN (
            'devices',
            'prism_filevault',
            'prism_application_firewall',
            'prism_gatekeeper_and_xprotect',
            'prism_startup_settings'
        )
        AND (
            c.change <> 'changed'
            OR c.column_name = 'status' AND c.table_name IN ('prism_filevault', 'prism_application_firewall')
            OR c.column_name = 'gatekeeper_status' AND c.table_name = 'prism_gatekeeper_and_xprotect'
            OR c.column_name = 'sip' AND c.table_name = 'prism_startup_settings'
        )
        AND c.changed_at > utc.moment::DATE - $days::INTEGER
),
-- what a device reported before each moment, and whether it was in the device list: of one of the two the change tells
moments AS (
    SELECT
        c.control,
        s.device_id,
        s.changed_at,
        any_value(coalesce(s.before, 'unknown')) FILTER (s.table_name <> 'devices') AS state,
        any_value(coalesce(s.before = 'Mac', false)) FILTER (s.table_name = 'devices') AS was_listed
    FROM seen AS s
    JOIN controls AS c ON s.table_name IN ('devices', c.table_name)
    GROUP BY ALL
),
-- of the other the next change does, or what is so now
befores AS (
    SELECT
        m.control,
        m.device_id,
        m.changed_at,
        l.state AS state_now,
        CASE
            WHEN coalesce(first_value(m.was_listed IGNORE NULLS) OVER following, l.device_id IS NOT NULL)
                THEN coalesce(
                    first_value(m.state IGNORE NULLS) OVER following,
                    r.is_on::VARCHAR,
                    'unknown'
                )
        END AS before
    FROM moments AS m
    LEFT JOIN live AS l ON l.control = m.control AND l.device_id = m.device_id
    LEFT JOIN reported AS r ON r.control = m.control AND r.device_id = m.device_id
    WINDOW following AS (
        PARTITION BY m.control, m.device_id ORDER BY m.changed_at ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
    )
),
-- each change takes a Mac from one state, or from nowhere, to the one before the next change, or of now
steps AS (
    SELECT
        b.control,
        CASE WHEN b.changed_at > utc.moment THEN utc.moment::DATE + 1
            ELSE (b.changed_at - INTERVAL 1 MICROSECOND)::DATE END AS day,
        b.before,
        CASE WHEN lead(b.changed_at) OVER device IS NULL THEN b.state_now ELSE lead(b.before) OVER device END AS after
    FROM befores AS b
    CROSS JOIN utc
    WINDOW device AS (PARTITION BY b.control, b.device_id ORDER BY b.changed_at)
),
changed AS (
    SELECT
        control,
        day,
        count(*) FILTER (before = 'true') - count(*) FILTER (after = 'true') AS macs_on,
        count(*) FILTER (before = 'false') - count(*) FILTER (after = 'false') AS macs_off,
        count(*) FILTER (before = 'unknown') - count(*) FILTER (after = 'unknown') AS unknown
    FROM steps
    GROUP BY ALL
    UNION ALL
    SELECT
        control,
        NULL,
        count(*) FILTER (state = 'true'),
        count(*) FILTER (state = 'false'),
        count(*) FILTER (state = 'unknown')
    FROM live
    GROUP BY ALL
),
-- of every control on every day: what there is now, and what changes after that day took from it
told AS (
    SELECT
        d.day,
        d.today,
        c.place,
        c.control,
        coalesce(n.macs_on, 0) + coalesce(sum(s.macs_on) OVER later, 0) AS macs_on,
        coalesce(n.macs_off, 0) + coalesce(sum(s.macs_off) OVER later, 0) AS macs_off,
        coalesce(n.unknown, 0) + coalesce(sum(s.unknown) OVER later, 0) AS unknown
    FROM days AS d
    CROSS JOIN controls AS c
    LEFT JOIN changed AS n ON n.day IS NULL AND n.control = c.control
    LEFT JOIN changed AS s ON s.day = d.day AND s.control = c.control
    WINDOW later AS (PARTITION BY c.control ORDER BY d.day DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
)
SELECT
    t.day,
    t.control,
    t.macs_on::BIGINT AS macs_on,
    t.macs_off::BIGINT AS macs_off,
    t.unknown::BIGINT AS unknown,
    (t.macs_on + t.macs_off + t.unknown)::BIGINT AS macs,
    round(100.0 * t.macs_on / (t.macs_on + t.macs_off + t.unknown), 1) AS percent_on
FROM told AS t
JOIN begins AS b USING (control)
WHERE (t.day = t.today OR t.day < t.today AND t.day + 1 >= b.since) AND t.macs_on + t.macs_off + t.unknown > 0
ORDER BY t.day, t.place;
