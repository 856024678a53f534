-- title: Operating systems
-- description: Devices by platform and major version at a moment, each of all devices of its platform.
-- place: 7
SELECT
    concat_ws(
        ' ',
        coalesce(platform, 'platform not known'),
        coalesce(split_part(os_version, '.', 1), 'version not known')
    ) AS fact,
    count(*) AS n,
    sum(count(*)) OVER (PARTITION BY platform)::BIGINT AS whole,
    NULL AS unknown
FROM devices_as_of($moment)
WHERE $blueprint IS NULL OR blueprint_name = $blueprint
GROUP BY platform, split_part(os_version, '.', 1)
ORDER BY whole DESC, platform, try_cast(split_part(os_version, '.', 1) AS INTEGER) DESC NULLS LAST, fact;
