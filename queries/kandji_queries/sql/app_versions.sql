-- title: Versions of an app
-- description: How many devices have each version of an app, newest first, and how many percent these are of the
--   devices that have the app at all; a device with two versions counts for both, and copies is the number of installs.
--   Devices marked missing or removed are counted, and shown beside. The app is found by a part of its name or bundle
--   identifier in any letter case; what differs in either is counted apart. What lies inside another app, as the
--   helpers of Chrome do, is left out, unless nothing else is found.
-- counts: devices
-- param: app text | Part of the app's name or bundle identifier, such as Microsoft Word.
-- param: platform enum(any, Mac, iPhone, iPad, AppleTV, Windows, Android) = any | Which devices.
-- chart: bar x=version y=devices by=app unit=devices
-- says: {count|version|versions} on {sum devices|device|devices}, one with two counted for both; {top version by
--   devices} is on most.
WITH found AS (
    SELECT a.name AS app, a.bundle_id, a.version, a.device_id, d.is_missing, d.is_removed
    FROM apps AS a
    LEFT JOIN devices AS d USING (device_id)
    WHERE
        (contains(folded(a.name), folded($app)) OR contains(folded(a.bundle_id), folded($app)))
        AND ($platform = 'any' OR coalesce(a.device_family, d.platform) = $platform)
    QUALIFY coalesce(contains(a.path, '.app/'), false) = min(coalesce(contains(a.path, '.app/'), false)) OVER ()
),
counted AS (
    SELECT
        app,
        bundle_id,
        version,
        count(DISTINCT device_id) AS devices,
        count(*) AS copies,
        count(DISTINCT device_id) FILTER (is_missing) AS missing,
        count(DISTINCT device_id) FILTER (is_removed) AS removed
    FROM found
    GROUP BY app, bundle_id, version
),
holders AS (
    SELECT app, bundle_id, count(DISTINCT device_id) AS devices
    FROM found
    GROUP BY ALL
)
SELECT
    c.app,
    c.bundle_id,
    coalesce(c.version, 'unknown') AS version,
    c.devices,
    c.copies,
    round(100.0 * c.devices / h.devices, 1) AS percent,
    c.missing,
    c.removed
FROM counted AS c
JOIN holders AS h ON h.app IS NOT DISTINCT FROM c.app AND h.bundle_id IS NOT DISTINCT FROM c.bundle_id
ORDER BY c.app, c.bundle_id, version_key(c.version) DESC NULLS LAST, c.version;
