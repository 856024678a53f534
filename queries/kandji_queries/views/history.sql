-- title: How far back changes are known
-- key: table_name
-- description: One row for each table of which changes are kept: since when its history is whole, and when it last
--   changed. Of what was before the views changes and removed_rows say nothing, and <table>_as_of(moment) refuses to
--   answer.
-- column: table_name | Name of the table.
-- column: since | When its history begins, UTC: changes from then on are known.
-- column: last_change_at | When the pass that saw its newest kept change began, UTC; NULL where there is none.
-- column: changed_rows | Kept changes: rows that came, went or changed, each time counted.
-- ask: Since when changes are known | SELECT table_name, since, last_change_at FROM history ORDER BY since
SELECT
    t.table_name,
    t.since,
    max(e.changed_at) AS last_change_at,
    count(e.changed_at) AS changed_rows
FROM internal.tracked AS t
LEFT JOIN internal.events AS e USING (table_name)
GROUP BY ALL;
