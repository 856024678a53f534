-- title: Macs with an old XProtect
-- description: Macs whose XProtect is older than a version or, without one, than the newest on any Mac, compared number by
--   number, the oldest first; those that did not report it last, with an empty version. Macs marked missing or removed
--   are listed with these flags.
-- counts: devices
-- param: version version optional | The oldest XProtect that is new enough, such as 5290.
-- column: newest | The version that is new enough.
WITH reported AS (
    SELECT d.*, g.xprotect_version, g.malware_removal_tool_version, g.last_collected_at
    FROM devices AS d
    LEFT JOIN prism_gatekeeper_and_xprotect AS g USING (device_id)
    WHERE d.platform = 'Mac'
),
compared AS (
    SELECT *, coalesce($version, max_by(xprotect_version, version_key(xprotect_version)) OVER ()) AS newest
    FROM reported
)
SELECT
    c.device_id,
    c.device_name,
    c.serial_number,
    c.os_version,
    c.xprotect_version,
    c.newest,
    c.last_collected_at,
    c.user_name,
    c.user_email,
    c.blueprint_name,
    c.last_check_in,
    c.is_missing,
    c.is_removed
FROM compared AS c
WHERE coalesce(version_below(c.xprotect_version, c.newest), true)
ORDER BY version_key(c.xprotect_version) NULLS LAST, c.device_name, c.device_id;
