-- title: Apps
-- description: Every app by name.
-- most: 400
-- column: version | Version
-- column: name | App
SELECT DISTINCT name, version
FROM apps
WHERE device_id = $device_id
ORDER BY name, version;
