-- title: Compliance by rule and blueprint
-- description: For every blueprint how many of its devices pass, fail or are unknown, of each rule of compliance and
--   of all rules together: a device fails those when it fails one, and passes when it passes every one. The rate is
--   that of the passing among all; unknown counts as neither. Devices without a blueprint are (no blueprint), and a
--   device counts for the rules of its platform. Removed and missing devices count, and are failures by rules of their
--   own.
-- counts: devices
-- for: pictures
-- param: platform enum(any, Mac, iPhone, iPad, AppleTV, Vision, Windows, Android) = any | Which devices.
-- chart: heat x=rule y=blueprint value=percent_passed unit=percent top=50
-- says: The share of devices that pass, by rule and blueprint: at worst {min percent_passed} %, by most devices failed
--   is {top rule by failed}, least known is {top rule by unknown}.
-- column: percent_passed | Share that passed, in percent; empty where all are unknown.
-- leads: passed to rule_results(rule=rule, blueprint=blueprint_id|blueprint, result='pass')
-- leads: failed to rule_results(rule=rule, blueprint=blueprint_id|blueprint, result='fail')
-- leads: unknown to rule_results(rule=rule, blueprint=blueprint_id|blueprint, result='unknown')
-- leads: devices to rule_results(rule=rule, blueprint=blueprint_id|blueprint)
WITH judged AS (
    SELECT d.blueprint_id, d.blueprint_name, c.device_id, c.rule, c.result
    FROM compliance AS c
    JOIN devices AS d USING (device_id)
    WHERE $platform = 'any' OR c.platform = $platform
),
results AS (
    SELECT blueprint_id, blueprint_name, rule, result FROM judged
    UNION ALL
    SELECT
        blueprint_id,
        blueprint_name,
        'all rules',
        CASE WHEN bool_or(result = 'fail') THEN 'fail' WHEN bool_and(result = 'pass') THEN 'pass' ELSE 'unknown' END
    FROM judged
    GROUP BY blueprint_id, blueprint_name, device_id
)
SELECT
    coalesce(blueprint_name, '(no blueprint)') AS blueprint,
    rule,
    count(*) AS devices,
    count(*) FILTER (result = 'pass') AS passed,
    count(*) FILTER (result = 'fail') AS failed,
    count(*) FILTER (result = 'unknown') AS unknown,
    CASE WHEN unknown < devices THEN round(100.0 * passed / devices, 1) END AS percent_passed,
    blueprint_id
FROM results
GROUP BY blueprint_id, blueprint_name, rule
ORDER BY blueprint, blueprint_id, rule <> 'all rules', rule;
