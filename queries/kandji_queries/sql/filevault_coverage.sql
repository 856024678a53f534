-- title: FileVault coverage day by day
-- description: On how many Macs FileVault was on, off or not known at the end of each of the last days (UTC; today:
--   now), among the Macs that have reported of it at all, and the share of those on which it was on. Put together from
--   the changes the mirror has seen: days before its history began are left out, and a change counts for the day the
--   mirror saw it.
-- like: posture_trend
-- param: days int = 30 [1, 3650] | Days back.
-- chart: line x=day y=percent_on unit=percent
-- says: FileVault was on for {first percent_on} % of the Macs on {first day} and for {last percent_on} % on {last day}, when it
--   was not known of {last unknown}.
-- column: day | The day, UTC.
-- column: filevault_off | Number of Macs with it off.
-- column: percent_on | Share with it on, in percent.
WITH days AS (
    SELECT day::DATE AS day, least(day + to_days(1), utc.moment) AS moment
    FROM
        (SELECT now() AT TIME ZONE 'UTC' AS moment) AS utc,
        generate_series(date_trunc('day', utc.moment) - to_days($days::INTEGER), utc.moment, to_days(1)) AS series(day)
),
live AS (
    SELECT device_id, coalesce(status::VARCHAR, 'unknown') AS status
    FROM prism_filevault
),
-- what each change changed it from: a row that was added comes from nothing
befores AS (
    SELECT
        c.device_id,
        c.changed_at,
        CASE c.change
            WHEN 'changed' THEN coalesce(c.old_value, 'unknown')
            WHEN 'removed' THEN coalesce(r.old_row ->> '$.status', 'unknown')
        END AS before
    FROM changes AS c
    LEFT JOIN removed_rows AS r
        ON r.table_name = c.table_name
        AND r.device_id = c.device_id
        AND r.removed_at = c.changed_at
        AND c.change = 'removed'
    WHERE c.table_name = 'prism_filevault' AND (c.change <> 'changed' OR c.column_name = 'status')
),
-- and to: what the next change of the device comes from, or what it is now
steps AS (
    SELECT
        b.changed_at,
        b.before,
        CASE
            WHEN lead(b.changed_at) OVER device IS NOT NULL THEN lead(b.before) OVER device
            ELSE l.status
        END AS after
    FROM befores AS b
    LEFT JOIN live AS l USING (device_id)
    WINDOW device AS (PARTITION BY b.device_id ORDER BY b.changed_at)
),
counted AS (
    SELECT moment, status, count(*) AS macs FROM days, live GROUP BY ALL
    UNION ALL
    SELECT d.moment, s.before, count(*) FROM days AS d JOIN steps AS s ON s.changed_at > d.moment GROUP BY ALL
    UNION ALL
    SELECT d.moment, s.after, -count(*) FROM days AS d JOIN steps AS s ON s.changed_at > d.moment GROUP BY ALL
)
SELECT
    d.day,
    coalesce(sum(c.macs) FILTER (c.status = 'true'), 0)::BIGINT AS filevault_on,
    coalesce(sum(c.macs) FILTER (c.status = 'false'), 0)::BIGINT AS filevault_off,
    coalesce(sum(c.macs) FILTER (c.status = 'unknown'), 0)::BIGINT AS unknown,
    sum(c.macs)::BIGINT AS macs,
    round(100.0 * filevault_on / nullif(sum(c.macs), 0), 1) AS percent_on
FROM days AS d
JOIN counted AS c USING (moment)
WHERE
    c.status IS NOT NULL
    AND d.moment >= coalesce((SELECT since FROM history WHERE table_name = 'prism_filevault'), (now() AT TIME ZONE 'UTC'))
GROUP BY d.day
ORDER BY d.day;
