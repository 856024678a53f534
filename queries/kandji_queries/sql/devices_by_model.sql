-- title: Devices by model
-- description: How many devices there are of each model. Devices marked missing or removed are counted, and shown
--   beside.
-- counts: devices
-- like: devices_by
-- chart: bar x=model y=devices by=platform unit=devices
-- says: {sum devices|device|devices} of {count|model|models}; most are {top model by devices}.
-- leads: devices to fleet(platform=platform, model=model)
-- leads: missing to fleet(platform=platform, model=model, is_missing='true')
-- leads: removed to fleet(platform=platform, model=model, is_removed='true')
SELECT
    platform,
    coalesce(model, 'unknown') AS model,
    count(*) AS devices,
    count(*) FILTER (is_missing) AS missing,
    count(*) FILTER (is_removed) AS removed
FROM devices
GROUP BY ALL
ORDER BY devices DESC, platform, model;
