-- title: Compliance
-- description: Devices that pass every rule that is for them, and the rules that most fail.
-- place: 5
SELECT fact, n, whole, unknown, behind
FROM (
    SELECT
        0 AS place,
        'Pass every rule' AS fact,
        count(*) FILTER (WHERE is_compliant) AS n,
        count(*) AS whole,
        count(*) FILTER (WHERE is_compliant IS NULL) AS unknown,
        'noncompliant_devices' AS behind
    FROM compliance_devices
    HAVING count(*) > 0
    UNION ALL
    (
        SELECT
            1,
            concat('fail ', rule),
            count(*) FILTER (WHERE result = 'fail') AS failed,
            count(*),
            count(*) FILTER (WHERE result = 'unknown'),
            concat('noncompliant_devices(rule=', rule, ')')
        FROM compliance
        GROUP BY rule
        HAVING failed > 0
        ORDER BY failed DESC, rule
        LIMIT 4
    )
)
ORDER BY place, n DESC, fact;
