-- title: Compliance: rules that fail or are unknown
-- description: The verdict is in all_rules.
-- usual: yes
-- most: 12
-- column: result | Result
-- column: rule | Rule
-- column: reason | Reason
SELECT rule, result, severity, reason
FROM (
    SELECT
        'all_rules' AS rule,
        CASE is_compliant WHEN true THEN 'pass' WHEN false THEN 'fail' ELSE 'unknown' END AS result,
        NULL AS severity,
        concat(passed, ' of ', rules, ' rules passed, ', failed, ' failed, ', unknown, ' unknown') AS reason,
        0 AS place
    FROM compliance_devices
    WHERE device_id = $device_id
    UNION ALL
    SELECT rule, result, severity, reason, list_position(['fail', 'unknown'], result)
    FROM compliance
    WHERE device_id = $device_id AND result <> 'pass'
)
ORDER BY place, severity, rule;
