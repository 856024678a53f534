-- title: Devices by operating system version
-- description: How many devices of a platform run each version of its operating system, newest first, with the share
--   of all devices of the platform: for planning upgrades. Versions are ordered number by number; one that is not
--   known is called unknown. Devices marked missing or removed are counted, and shown beside.
-- counts: devices
-- like: devices_by
-- param: platform enum(Mac, iPhone, iPad, AppleTV, Vision, Windows, Android) = Mac | Which devices.
-- chart: bar x=os_version y=devices unit=devices
-- says: {sum devices|device|devices} ({$platform}) with {count|version|versions}; the newest is {first os_version},
--   most have {top os_version by devices}.
-- column: major | First number of the version.
-- column: os_marketing_name | Name that Apple gives it.
SELECT
    coalesce(d.os_version, 'unknown') AS os_version,
    version_key(d.os_version)[1]::BIGINT AS major,
    max(i.marketing_name) AS os_marketing_name,
    count(*) AS devices,
    round(100.0 * count(*) / sum(count(*)) OVER (), 1) AS percent,
    count(*) FILTER (d.is_missing) AS missing,
    count(*) FILTER (d.is_removed) AS removed
FROM devices AS d
LEFT JOIN prism_device_information AS i USING (device_id)
WHERE d.platform = $platform
GROUP BY d.os_version
ORDER BY version_key(d.os_version) DESC NULLS LAST, d.os_version;
