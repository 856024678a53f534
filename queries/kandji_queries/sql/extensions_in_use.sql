-- title: Kernel and system extensions in use
-- description: Every kernel and system extension with the number of Macs that have it, those on most Macs first. Of
--   several versions or states on them the newest and the commonest are told; each_version lists every version in each
--   state instead. A system extension runs where its state is activated_enabled; macOS gives kernel extensions up.
--   devices_with_extension tells the Macs.
-- counts: devices
-- ranks: macs
-- param: each_version bool = false | Whether every version in each state is a row of its own.
-- column: kind | Kernel or system extension.
-- column: version | Its version; of several the newest.
-- column: state | State of a system extension; of several the commonest.
-- column: versions | Number of versions of the extension.
-- column: active | Number of Macs on which the system extension runs (activated_enabled); empty for kernel extensions.
WITH extensions AS (
    SELECT 'kernel' AS kind, bundle_id AS identifier, NULL AS name, version, NULL AS team_id, NULL AS state,
        device_id, serial_number, last_collected_at
    FROM prism_kernel_extensions
    UNION ALL
    SELECT 'system', identifier, name, coalesce(short_version, bundle_version), team_id, state,
        device_id, serial_number, last_collected_at
    FROM prism_system_extensions
),
split AS (
    SELECT
        *,
        CASE WHEN $each_version THEN version END AS own_version,
        CASE WHEN $each_version THEN state END AS own_state,
        CASE WHEN $each_version OR identifier IS NULL THEN name END AS own_name,
        CASE WHEN $each_version THEN team_id END AS own_team
    FROM extensions
),
newest AS (
    SELECT DISTINCT ON (kind, identifier) kind, identifier, version
    FROM extensions
    WHERE version IS NOT NULL
    ORDER BY kind, identifier, version_key(version) DESC NULLS LAST, version
),
commonest AS (
    SELECT DISTINCT ON (kind, identifier) kind, identifier, state
    FROM (SELECT kind, identifier, state, count(*) AS n FROM extensions WHERE state IS NOT NULL GROUP BY ALL)
    ORDER BY kind, identifier, n DESC, state
),
counted AS (
    SELECT
        kind,
        identifier,
        max(name) AS name,
        own_version,
        max(team_id) AS team_id,
        own_state,
        own_name,
        own_team,
        count(DISTINCT device_id) AS macs,
        CASE kind WHEN 'system' THEN count(DISTINCT device_id) FILTER (state = 'activated_enabled') END AS active,
        count(DISTINCT version) AS versions
    FROM split
    GROUP BY kind, identifier, own_version, own_state, own_name, own_team
)
SELECT
    c.kind,
    c.identifier,
    c.name,
    CASE WHEN $each_version THEN c.own_version ELSE n.version END AS version,
    c.team_id,
    CASE WHEN $each_version THEN c.own_state ELSE s.state END AS state,
    c.macs,
    c.active,
    c.versions
FROM counted AS c
LEFT JOIN newest AS n ON n.kind = c.kind AND n.identifier IS NOT DISTINCT FROM c.identifier
LEFT JOIN commonest AS s ON s.kind = c.kind AND s.identifier IS NOT DISTINCT FROM c.identifier
ORDER BY c.macs DESC, c.kind, c.identifier, version_key(version) DESC NULLS LAST, version, state, c.name, c.team_id;
