-- title: Macs with an old agent, or none
-- description: Macs without the agent, those whose agent is old, and those of which it is not known: finding is no
--   agent, old or unknown. Old is what is older than the version asked for or, without one, than the newest agent on
--   any Mac, compared number by number; the build in brackets does not count. Macs marked missing or removed are
--   listed with these flags.
-- counts: devices
-- tells: finding
-- param: version version optional | The oldest agent that is new enough, such as 4.5.
-- column: finding | No agent, old or unknown.
WITH agents AS (
    SELECT agent_version, regexp_replace(agent_version, '\s*\(.*', '') AS version, version_key(version) AS key
    FROM (SELECT DISTINCT agent_version FROM devices WHERE platform = 'Mac')
),
compared AS (
    SELECT agent_version, key, version_below(version, newest) AS is_below
    FROM agents
    CROSS JOIN (SELECT coalesce($version, max_by(version, key)) AS newest FROM agents)
),
judged AS (
    SELECT
        d.*,
        a.key,
        CASE
            WHEN NOT d.agent_installed THEN 'no agent'
            WHEN a.is_below THEN 'old'
            WHEN a.is_below IS NULL OR d.agent_installed IS NULL THEN 'unknown'
        END AS finding
    FROM devices AS d
    JOIN compared AS a ON a.agent_version IS NOT DISTINCT FROM d.agent_version
    WHERE d.platform = 'Mac'
)
SELECT
    d.device_id,
    d.device_name,
    d.serial_number,
    d.os_version,
    d.finding,
    d.agent_installed,
    d.agent_version,
    d.user_name,
    d.user_email,
    d.blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM judged AS d
WHERE d.finding IS NOT NULL
ORDER BY d.finding, d.key, d.device_name, d.device_id;
