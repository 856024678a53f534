-- title: How old the tables of the mirror are
-- description: Every table with the age of its rows beside the time for which they count as fresh, those that are late
--   by the largest multiple of that time first, those never synced before all; and how the last attempt to sync them
--   ended. due tells whether a table is late: never synced, older than its time, or dated in the future. A table that
--   is not offered to the tenant, or that the token may not read, has no age and is not due. The view freshness has
--   more of each, and the tables of public feeds that are off.
-- for: pictures
-- chart: bar x=table_name y=age_hours unit=hours top=50
-- says: {sum late|table is|tables are} late of {count}; the oldest rows are {max age_hours} hours old, in {top
--   table_name by age_hours}.
-- column: age_hours | Hours since the rows were read; empty where they never were.
-- column: fresh_hours | Hours for which they count as fresh.
-- column: times_ttl | The age as a multiple of that time.
-- column: due | Whether the table is late.
-- column: late | 1 where it is, 0 where not: to be summed up.
-- column: state | How the last attempt ended: ok, partial, failed, no permission, not offered, or never synced.
SELECT
    table_name,
    state,
    rows,
    synced_at,
    round(age_seconds / 3600, 2) AS age_hours,
    round(ttl_seconds / 3600, 2) AS fresh_hours,
    round(age_seconds / nullif(ttl_seconds, 0), 2) AS times_ttl,
    NOT is_fresh AND state NOT IN ('no permission', 'not offered') AS due,
    CASE WHEN NOT is_fresh AND state NOT IN ('no permission', 'not offered') THEN 1 ELSE 0 END AS late,
    attempted_at,
    last_error,
    note
FROM freshness
WHERE state <> 'off'
ORDER BY due DESC, times_ttl DESC NULLS FIRST, table_name;
