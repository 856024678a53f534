-- title: Kernel and system extensions in use
-- description: Every version of every kernel and system extension, in each state it is in, with the number of Macs.
--   Kernel extensions come first: macOS gives them up. A system extension runs where its state is activated_enabled.
--   devices_with_extension tells the Macs.
-- counts: devices
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
    kind,
    identifier,
    name,
    version,
    team_id,
    state,
    count(DISTINCT device_id) AS macs
FROM extensions
GROUP BY kind, identifier, name, version, team_id, state
ORDER BY kind, macs DESC, identifier, version_key(version) DESC NULLS LAST, version, state, name, team_id;
