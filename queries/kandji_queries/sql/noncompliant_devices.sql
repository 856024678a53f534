-- title: Devices that are not compliant
-- description: Devices that fail a rule of compliance, with the rules they fail and those of which the result is not
--   known; optionally only those that fail one rule, and optionally also devices that fail none but are unknown.
--   device_compliance says why. Devices marked missing or removed are listed with these flags.
-- counts: devices
-- param: rule text optional | Name of a rule, such as filevault_on.
-- param: with_unknown bool = false | Whether devices of unknown compliance are listed too.
-- column: result | Whether it fails, or is not known.
SELECT
    d.device_id,
    d.device_name,
    d.serial_number,
    d.platform,
    d.os_version,
    CASE WHEN c.is_compliant IS NULL THEN 'unknown' ELSE 'fail' END AS result,
    c.failed_rules,
    c.unknown_rules,
    c.oldest_input_at,
    d.user_name,
    d.user_email,
    d.blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM compliance_devices AS c
JOIN devices AS d USING (device_id)
WHERE
    NOT coalesce(c.is_compliant, NOT $with_unknown)
    AND (
        $rule IS NULL
        OR list_contains(c.failed_rules, folded($rule))
        OR ($with_unknown AND list_contains(c.unknown_rules, folded($rule)))
    )
ORDER BY result, c.failed DESC, d.device_name, d.device_id;
