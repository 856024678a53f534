-- title: How old every table is
-- description: One row a table: how many rows, when they were read from the provider, how long they count as fresh,
--   and how the last attempt to sync them ended. The age is that of the moment the query runs.
-- column: table_name | Name of the table.
-- column: state | How the last attempt ended: ok, failed, no permission, or never synced.
-- column: rows | Rows in the mirror.
-- column: synced_at | When the sync that read these rows began, UTC.
-- column: age_seconds | Seconds since then; NULL where never synced.
-- column: ttl_seconds | Seconds after which the rows are due for a new sync.
-- column: is_fresh | Whether the age is below the ttl; false where never synced.
-- column: method | How the rows were read.
-- column: last_error | What went wrong at the last attempt; NULL where it went well.
-- column: attempted_at | When the last attempt began, UTC.
SELECT
    table_name,
    state,
    rows,
    synced_at,
    epoch(now()::TIMESTAMP - synced_at) AS age_seconds,
    ttl_seconds,
    coalesce(epoch(now()::TIMESTAMP - synced_at) < ttl_seconds, false) AS is_fresh,
    method,
    last_error,
    attempted_at
FROM internal.table_states
ORDER BY table_name;
