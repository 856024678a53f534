-- title: Compliance, one row a device
-- key: device_id
-- description: The verdict of all rules of the view compliance that are for a device: true where every one passes,
--   false where any fails, NULL where none fails but some are unknown. Count NULL as neither. Removed and missing
--   devices are included; a device of a platform without rules has no row.
-- column: is_compliant | True, false, or NULL for unknown.
-- column: rules | How many rules are for the device.
-- column: passed | How many of them it passes.
-- column: failed | How many of them it fails.
-- column: unknown | Of how many of them the result is not known.
-- column: failed_rules | Names of the rules it fails.
-- column: unknown_rules | Names of the rules whose result is not known.
-- column: oldest_input_at | When the oldest of the inputs was reported.
-- ask: How many devices are compliant | SELECT platform, is_compliant, count(*) AS devices FROM compliance_devices
--   GROUP BY ALL ORDER BY ALL
SELECT
    device_id,
    device_name,
    serial_number,
    platform,
    CASE WHEN failed > 0 THEN false WHEN unknown = 0 THEN true END AS is_compliant,
    rules,
    passed,
    failed,
    unknown,
    failed_rules,
    unknown_rules,
    oldest_input_at
FROM (
    SELECT
        device_id,
        device_name,
        serial_number,
        platform,
        count(*) AS rules,
        count(*) FILTER (WHERE result = 'pass') AS passed,
        count(*) FILTER (WHERE result = 'fail') AS failed,
        count(*) FILTER (WHERE result = 'unknown') AS unknown,
        coalesce(list(rule ORDER BY rule) FILTER (WHERE result = 'fail'), []) AS failed_rules,
        coalesce(list(rule ORDER BY rule) FILTER (WHERE result = 'unknown'), []) AS unknown_rules,
        min(input_collected_at) AS oldest_input_at
    FROM compliance
    GROUP BY ALL
);
