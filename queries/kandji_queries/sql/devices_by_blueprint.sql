-- title: Devices by blueprint
-- description: How many devices are in each blueprint, blueprints without devices and devices without a blueprint
--   included. Devices marked missing or removed are counted, and shown beside. provider_count is the number the
--   provider gives for the blueprint itself.
-- counts: devices
-- like: devices_by
-- chart: bar x=blueprint y=devices unit=devices
-- says: {sum devices|device|devices} in {count|blueprint|blueprints}; most are in {top blueprint by devices}.
-- leads: devices to fleet(blueprint_id=blueprint_id)
-- leads: missing to fleet(blueprint_id=blueprint_id, is_missing='true')
-- leads: removed to fleet(blueprint_id=blueprint_id, is_removed='true')
SELECT
    coalesce(b.name, d.blueprint_name, '(no blueprint)') AS blueprint,
    coalesce(b.id, d.blueprint_id) AS blueprint_id,
    b.type,
    count(d.device_id) AS devices,
    count(d.device_id) FILTER (d.is_missing) AS missing,
    count(d.device_id) FILTER (d.is_removed) AS removed,
    b.computers_count AS provider_count
FROM blueprints AS b
FULL JOIN devices AS d ON d.blueprint_id = b.id
GROUP BY ALL
ORDER BY devices DESC, blueprint, blueprint_id;
