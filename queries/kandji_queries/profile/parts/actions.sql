-- title: Live actions through this mirror
-- description: One row an attempt, refused ones included, the newest first.
-- usual: yes
-- most: 4
-- column: tried_at | Tried
-- column: outcome | Outcome
-- column: action | Action
SELECT
    min(recorded_at) AS tried_at,
    arg_max(coalesce(outcome, event), seq) AS outcome,
    any_value(action ORDER BY seq) AS action,
    any_value(os_user ORDER BY seq) AS os_user,
    any_value(reason ORDER BY seq) AS reason
FROM audit_log
WHERE device_id = $device_id
GROUP BY action_id
ORDER BY tried_at DESC;
