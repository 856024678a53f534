-- title: How old every table is
-- key: table_name
-- description: One row a table: how many rows, when they were read from the provider, how long they count as fresh,
--   and how the last attempt to sync them ended. The age is that of the moment the query runs.
-- column: table_name | Name of the table.
-- column: state | How the last attempt ended: ok, partial, failed, no permission, not offered,
--   never synced, or off: of a public feed that was never read.
-- column: rows | Rows in the mirror.
-- column: synced_at | When the sync that read these rows began, UTC; of a table that is swept, when the oldest was read.
-- column: age_seconds | Seconds since then; NULL where never synced, and where synced_at is in the future: a clock was wrong.
-- column: ttl_seconds | Seconds after which the rows are due for a new sync, as they count now.
-- column: ttl_reason | Why that is longer than declared; NULL where it is not.
-- column: is_fresh | Whether the age is below the ttl; false where never synced or synced in the future; NULL where it is off.
-- column: whole_at | When all rows were last read at once, UTC; later changes came by increments.
-- column: checked_at | When the number of rows was last found equal to the provider's, UTC.
-- column: method | How the rows were read.
-- column: note | What is not perfect though nothing failed; NULL where all is.
-- column: last_error | What went wrong at the last attempt; NULL where it went well.
-- column: attempted_at | When the last attempt began, UTC.
-- ask: Which tables are late | SELECT table_name, state, age_seconds, ttl_seconds FROM freshness WHERE NOT is_fresh
SELECT
    table_name,
    state,
    rows,
    synced_at,
    CASE WHEN synced_at <= (now() AT TIME ZONE 'UTC') + INTERVAL 1 MINUTE
        THEN greatest(0, epoch((now() AT TIME ZONE 'UTC') - synced_at)) END AS age_seconds,
    ttl_seconds,
    ttl_reason,
    CASE WHEN state <> 'off' THEN coalesce(age_seconds < ttl_seconds, false) END AS is_fresh,
    whole_at,
    checked_at,
    method,
    CASE WHEN synced_at > (now() AT TIME ZONE 'UTC') + INTERVAL 1 MINUTE
        THEN concat_ws(' ', 'Synced in the future: a clock is or was wrong; the next sync reads it anew.', note)
        ELSE note END AS note,
    last_error,
    attempted_at
FROM internal.table_states
ORDER BY table_name;
