-- title: Devices by platform
-- description: How many devices there are of each platform, and how many of them are marked missing or removed (these
--   are included in the count).
-- counts: devices
-- like: devices_by
-- chart: bar x=platform y=devices unit=devices
-- says: {sum devices|device|devices} of {count|platform|platforms}; most are {top platform by devices}.
-- leads: devices to fleet(platform=platform)
-- leads: missing to fleet(platform=platform, is_missing='true')
-- leads: removed to fleet(platform=platform, is_removed='true')
SELECT
    coalesce(platform, 'unknown') AS platform,
    count(*) AS devices,
    count(*) FILTER (is_missing) AS missing,
    count(*) FILTER (is_removed) AS removed
FROM devices
GROUP BY ALL
ORDER BY devices DESC, platform;
