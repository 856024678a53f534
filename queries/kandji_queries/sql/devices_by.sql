-- title: Devices by platform, model, blueprint or another attribute
-- description: How many devices have each value of an attribute, and how many percent of all these are. os is platform
--   and major version, os_version platform and the whole one (newest first); last_check_in is in steps, enrolled the year of the
--   first enrolment, department that of the person. A device with several tags counts for each. Blueprints and tags
--   without devices are included, devices without any are (none). Devices marked missing or removed are counted, and
--   shown beside.
-- counts: devices
-- param: attribute enum(platform, os, os_version, model, blueprint, department, tag, agent_version, last_check_in, enrolled) = platform
--   | By what.
-- param: platform enum(any, Mac, iPhone, iPad, AppleTV, Vision, Windows, Android) = any | Which devices.
-- chart: bar x=value y=devices unit=devices
-- says: {sum devices|device|devices}; most are {top value by devices}: {max devices}.
-- column: value | Value of the attribute that was asked for.
WITH chosen AS (
    SELECT
        d.device_id,
        d.is_missing,
        d.is_removed,
        unnest(
            CASE $attribute
                WHEN 'tag' THEN CASE WHEN len(d.tags) > 0 THEN list_distinct(d.tags) ELSE [NULL] END
                WHEN 'platform' THEN [d.platform]
                WHEN 'os' THEN [d.platform || ' ' || coalesce(split_part(d.os_version, '.', 1), 'unknown')]
                WHEN 'os_version' THEN [d.platform || ' ' || coalesce(d.os_version, 'unknown')]
                WHEN 'model' THEN [d.model]
                WHEN 'blueprint' THEN [d.blueprint_name]
                WHEN 'department' THEN [u.department]
                WHEN 'agent_version' THEN [d.agent_version]
                WHEN 'enrolled' THEN [year(d.first_enrollment)::VARCHAR]
                WHEN 'last_check_in' THEN [
                    CASE
                        WHEN d.last_check_in IS NULL THEN 'never'
                        WHEN d.last_check_in >= (now() AT TIME ZONE 'UTC') - to_days(1) THEN 'within a day'
                        WHEN d.last_check_in >= (now() AT TIME ZONE 'UTC') - to_days(7) THEN 'within 7 days'
                        WHEN d.last_check_in >= (now() AT TIME ZONE 'UTC') - to_days(30) THEN 'within 30 days'
                        ELSE 'longer ago'
                    END
                ]
            END
        ) AS value
    FROM devices AS d
    LEFT JOIN users AS u ON u.id = d.user_id
    WHERE $platform = 'any' OR d.platform = $platform
),
existing AS (
    SELECT name FROM blueprints WHERE $attribute = 'blueprint'
    UNION
    SELECT name FROM tags WHERE $attribute = 'tag'
)
SELECT
    coalesce(
        c.value,
        e.name,
        CASE WHEN $attribute IN ('blueprint', 'department', 'tag') THEN '(none)' ELSE 'unknown' END
    ) AS value,
    count(c.device_id) AS devices,
    round(100.0 * devices / nullif((SELECT count(DISTINCT device_id) FROM chosen), 0), 1) AS percent,
    count(c.device_id) FILTER (c.is_missing) AS missing,
    count(c.device_id) FILTER (c.is_removed) AS removed
FROM chosen AS c
FULL JOIN existing AS e ON e.name = c.value
GROUP BY c.value, e.name
ORDER BY
    CASE WHEN $attribute = 'os_version' THEN split_part(c.value, ' ', 1) END,
    CASE WHEN $attribute = 'os_version' THEN version_key(split_part(c.value, ' ', 2)) END DESC NULLS LAST,
    devices DESC,
    value;
