-- title: Notes
-- description: How many administrators wrote on it; what they say is in device_notes.
-- usual: yes
-- one: yes
-- column: notes | Notes
-- column: newest_at? | Newest
SELECT
    CASE
        WHEN count(n.note_id) > 0 THEN count(n.note_id)
        -- none of it there is none only where all devices were asked
        WHEN any_value(s.state) = 'ok' THEN 0
    END AS notes,
    max(n.created_at) AS newest_at
FROM freshness AS s
LEFT JOIN device_notes AS n ON n.device_id = $device_id
WHERE s.table_name = 'device_notes';
