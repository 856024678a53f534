-- title: Library items and parameters that failed
-- description: With what the device said, shortened; unknown where none are mirrored of it.
-- usual: yes
-- most: 10
-- column: kind | Kind
-- column: status | Status
-- column: name | Name
SELECT kind, name, status, left(log, 160) AS log, reported_at
FROM (
    SELECT 'library item' AS kind, name, status, coalesce(log, last_audit_log) AS log, reported_at
    FROM device_library_items
    WHERE device_id = $device_id AND upper(status) IN ('ERROR', 'FAILED')
    UNION ALL
    SELECT 'parameter', name, status, NULL, NULL
    FROM device_parameters
    WHERE device_id = $device_id AND upper(status) IN ('ERROR', 'FAILED')
    UNION ALL
    SELECT 'library item', NULL, 'unknown', 'none mirrored: not read, or it has none', NULL
    FROM devices
    ANTI JOIN device_library_items USING (device_id)
    WHERE device_id = $device_id
    UNION ALL
    SELECT 'parameter', NULL, 'unknown', 'none mirrored: not read, or it has none', NULL
    FROM devices
    ANTI JOIN device_parameters USING (device_id)
    WHERE device_id = $device_id AND platform = 'Mac'
)
ORDER BY kind, name;
