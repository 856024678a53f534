-- title: Macs with a kernel or system extension
-- description: Every Mac that has a kernel or system extension, one row for each version of it: found by a part of its
--   identifier or name, or by its team identifier, in any letter case. Macs marked missing or removed are listed with
--   these flags.
-- counts: devices
-- param: extension text | Part of the identifier or name, or team identifier, such as falcon.
-- param: kind enum(any, kernel, system) = any | Which extensions.
-- column: kind | Kernel or system extension.
WITH extensions AS (
    SELECT 'kernel' AS kind, bundle_id AS identifier, NULL AS name, version, NULL AS team_id, NULL AS state,
        device_id, serial_number, last_collected_at
    FROM prism_kernel_extensions
    UNION ALL
    SELECT 'system', identifier, name, coalesce(short_version, bundle_version), team_id, state,
        device_id, serial_number, last_collected_at
    FROM prism_system_extensions
)
SELECT
    e.device_id,
    d.device_name,
    coalesce(d.serial_number, e.serial_number) AS serial_number,
    d.os_version,
    e.kind,
    e.identifier,
    e.name,
    e.version,
    e.team_id,
    e.state,
    e.last_collected_at,
    d.user_name,
    d.user_email,
    d.blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM extensions AS e
LEFT JOIN devices AS d USING (device_id)
WHERE
    ($kind = 'any' OR e.kind = $kind)
    AND (
        contains(folded(e.identifier), folded($extension))
        OR contains(folded(e.name), folded($extension))
        OR folded_id(e.team_id) = folded_id($extension)
    )
ORDER BY e.kind, e.identifier, d.device_name, e.device_id, e.version, e.state;
