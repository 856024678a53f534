-- title: Versions of an app
-- description: How many devices have each version of an app, newest first, and how many percent these are of the
--   devices that have the app at all; a device with two versions counts for both. The app is found by a part of its
--   name or bundle identifier in any letter case; what differs in either is counted apart.
-- param: app text | Part of the app's name or bundle identifier, such as Microsoft Word.
-- param: platform enum(any, Mac, iPhone, iPad, AppleTV, Windows, Android) = any | Which devices.
-- chart: bar x=version y=devices by=app
WITH found AS (
    SELECT a.name AS app, a.bundle_id, a.version, a.device_id
    FROM apps AS a
    LEFT JOIN devices AS d USING (device_id)
    WHERE
        (contains(folded(a.name), folded($app)) OR contains(folded(a.bundle_id), folded($app)))
        AND ($platform = 'any' OR coalesce(a.device_family, d.platform) = $platform)
),
counted AS (
    SELECT app, bundle_id, version, count(DISTINCT device_id) AS devices, count(*) AS copies
    FROM found
    GROUP BY ALL
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
    round(100.0 * c.devices / h.devices, 1) AS percent
FROM counted AS c
JOIN holders AS h ON h.app IS NOT DISTINCT FROM c.app AND h.bundle_id IS NOT DISTINCT FROM c.bundle_id
ORDER BY c.app, c.bundle_id, version_key(c.version) DESC NULLS LAST, c.version;
