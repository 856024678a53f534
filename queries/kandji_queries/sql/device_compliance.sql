-- title: Why a device is not compliant
-- description: For a device every rule of compliance with its result and the reason, failures first, then unknown
--   ones; after the rules its parameters and library items that failed. Where none of these are mirrored one row says
--   so (they take one request a device). The device is found by identifier, serial number, asset tag or whole name in any
--   letter case; only where there is none, by a part of its name, and then by its person. Of several all are
--   listed, the one that checked in last first: device_id tells them apart.
-- param: device text | Identifier, serial number, asset tag or name of the device.
-- column: kind | What it is: a rule, a parameter or a library item.
WITH meant AS (
    FROM (SELECT d.*, device_match($device, d) AS match FROM devices AS d)
    QUALIFY match = min(match) OVER ()
),
findings AS (
    SELECT
        device_id, 1 AS place, 'rule' AS kind, rule AS name, severity, result, reason,
        input_collected_at AS reported_at
    FROM compliance
    UNION ALL
    SELECT device_id, 2, 'parameter', name, NULL, 'fail', 'its status is ' || status, NULL
    FROM device_parameters
    WHERE upper(status) = 'ERROR'
    UNION ALL
    SELECT device_id, 3, 'library item', name, NULL, 'fail', coalesce(log, last_audit_log, 'its status is ' || status),
        reported_at
    FROM device_library_items
    WHERE upper(status) IN ('ERROR', 'FAILED')
    UNION ALL
    SELECT
        device_id, 2, 'parameter', NULL, NULL, 'unknown',
        'none mirrored: not read, or it has none; `kandji-mirror sync device_parameters` reads them', NULL
    FROM meant
    ANTI JOIN device_parameters USING (device_id)
    WHERE platform = 'Mac'
    UNION ALL
    SELECT
        device_id, 3, 'library item', NULL, NULL, 'unknown',
        'none mirrored: not read, or it has none; `kandji-mirror sync device_library_items` reads them', NULL
    FROM meant
    ANTI JOIN device_library_items USING (device_id)
)
SELECT
    d.device_id,
    d.device_name,
    d.serial_number,
    f.kind,
    f.name,
    f.severity,
    f.result,
    f.reason,
    f.reported_at,
    d.user_name,
    d.user_email,
    d.blueprint_name,
    d.last_check_in,
    d.is_missing
FROM meant AS d
JOIN findings AS f USING (device_id)
ORDER BY
    d.last_check_in DESC NULLS LAST,
    d.device_name,
    d.device_id,
    f.place,
    list_position(['fail', 'unknown', 'pass'], f.result),
    f.name,
    f.reason;
