-- title: Operating systems
-- description: The commonest by platform and major version, each of all devices of its platform.
-- place: 2
WITH counted AS (
    SELECT
        coalesce(platform, 'platform not known') AS platform,
        coalesce(split_part(os_version, '.', 1), 'version not known') AS major,
        count(*) AS n
    FROM devices
    GROUP BY ALL
),
commonest AS (
    SELECT *, sum(n) OVER (PARTITION BY platform)::BIGINT AS whole FROM counted ORDER BY n DESC, platform, major LIMIT 6
)
SELECT
    concat_ws(' ', platform, major) AS fact,
    n,
    whole,
    NULL AS unknown,
    CASE
        WHEN platform IN ('Mac', 'iPhone', 'iPad', 'AppleTV', 'Vision', 'Windows', 'Android')
            THEN concat('devices_by_os_version(platform=', platform, ')')
    END AS behind
FROM commonest
ORDER BY whole DESC, platform, n DESC, fact;
