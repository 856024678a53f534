-- title: Devices by the result of a compliance rule
-- description: Every device that a rule of compliance is for, with the result and why; of "all rules" a device fails
--   when it fails one, and passes when it passes every one. Optionally only those of one result, of one blueprint
--   ("(no blueprint)" for those without), or of one platform. Removed and missing devices are listed with these flags.
-- counts: devices
-- for: pictures
-- param: rule text = all rules | Name of a rule, such as filevault_on.
-- param: result enum(any, fail, unknown, pass) = any | Only devices of this result.
-- param: blueprint text optional | Name or identifier of a blueprint.
-- param: platform enum(any, Mac, iPhone, iPad, AppleTV, Vision, Windows, Android) = any | Which devices.
-- column: rule | The rule that was asked for.
WITH asked AS (
    SELECT device_id, result, reason, input_collected_at
    FROM compliance
    WHERE rule = folded($rule)
    UNION ALL
    SELECT
        device_id,
        CASE WHEN is_compliant IS NULL THEN 'unknown' WHEN is_compliant THEN 'pass' ELSE 'fail' END,
        concat_ws(
            '; ',
            CASE WHEN len(failed_rules) > 0 THEN concat('fails ', array_to_string(failed_rules, ', ')) END,
            CASE WHEN len(unknown_rules) > 0 THEN concat('not known: ', array_to_string(unknown_rules, ', ')) END
        ),
        oldest_input_at
    FROM compliance_devices
    WHERE folded($rule) = 'all rules'
)
SELECT
    d.device_id,
    d.device_name,
    d.serial_number,
    d.platform,
    d.blueprint_name,
    $rule AS rule,
    a.result,
    a.reason,
    a.input_collected_at,
    d.user_name,
    d.user_email,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM asked AS a
JOIN devices AS d USING (device_id)
WHERE
    ($result = 'any' OR a.result = $result)
    AND ($platform = 'any' OR d.platform = $platform)
    AND (
        $blueprint IS NULL
        OR folded(coalesce(d.blueprint_name, '(no blueprint)')) = folded($blueprint)
        OR d.blueprint_id = $blueprint
    )
ORDER BY list_position(['fail', 'unknown', 'pass'], a.result), d.device_name, d.device_id;
