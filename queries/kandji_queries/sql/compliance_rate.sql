-- title: Compliance rate by platform and rule
-- description: For every platform how many devices pass, fail or are unknown, of each rule of compliance and of all
--   rules together: a device fails those when it fails one, and passes when it passes every one. The rate is that of
--   the passing among all; unknown counts as neither, so the failing need not be the rest. Removed and missing devices
--   count, and are failures by rules of their own.
-- counts: devices
-- chart: stacked x=rule y=passed,failed,unknown by=platform unit=devices
-- says: How many devices pass, fail or are not known, by platform and rule; of the worst {min percent_passed} % pass.
-- column: percent_passed | Share that passed, in percent; empty where all are unknown.
-- leads: passed to rule_results(rule=rule, platform=platform, result='pass')
-- leads: failed to rule_results(rule=rule, platform=platform, result='fail')
-- leads: unknown to rule_results(rule=rule, platform=platform, result='unknown')
-- leads: devices to rule_results(rule=rule, platform=platform)
WITH counted AS (
    SELECT c.platform, c.device_id, c.rule, c.result
    FROM compliance AS c
    JOIN devices AS d USING (device_id)
),
results AS (
    SELECT platform, rule, result FROM counted
    UNION ALL
    SELECT
        platform,
        'all rules',
        CASE WHEN bool_or(result = 'fail') THEN 'fail' WHEN bool_and(result = 'pass') THEN 'pass' ELSE 'unknown' END
    FROM counted
    GROUP BY platform, device_id
)
SELECT
    platform,
    rule,
    count(*) AS devices,
    count(*) FILTER (result = 'pass') AS passed,
    count(*) FILTER (result = 'fail') AS failed,
    count(*) FILTER (result = 'unknown') AS unknown,
    CASE WHEN unknown < devices THEN round(100.0 * passed / devices, 1) END AS percent_passed
FROM results
GROUP BY platform, rule
ORDER BY platform, rule <> 'all rules', rule;
