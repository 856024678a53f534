-- title: Versions of the most installed apps
-- description: Of the apps that are on most devices, on how many each has the newest version that is in use, the next
--   ones, an older one, or one that is not known: how well they are kept up to date. A device with copies of several
--   versions counts once, for the oldest of them. Apps of Apple itself, which come with the system, are left out
--   unless asked for, and what lies inside another app, as helpers do. Apps are told apart by name and bundle
--   identifier. Devices marked missing or removed are counted, and shown beside. app_versions tells all versions of an
--   app.
-- counts: devices
-- for: pictures
-- param: top int = 10 [1, 100] | How many apps.
-- param: platform enum(any, Mac, iPhone, iPad, AppleTV, Vision, Windows, Android) = any | Which devices.
-- param: with_apple bool = false | Whether apps of Apple itself are told, too.
-- chart: stacked x=app y=newest,second_newest,third_newest,older,unknown unit=devices
-- says: The newest version in use is on {share newest of devices} of the devices, over {count|app|apps}; an older one
--   than the newest three is most frequent of {top app by older} ({max older}).
-- column: newest | On how many devices is the newest version in use.
-- column: second_newest | On how many is the one before it.
-- column: third_newest | On how many is the one before that.
-- column: older | On how many is an older one.
-- column: newest_version | The newest version in use.
-- column: second_version | The one before it in use.
-- column: third_version | The one before that in use.
-- column: versions | Number of versions in use.
WITH found AS (
    SELECT a.name, a.bundle_id, a.device_id, a.version
    FROM apps AS a
    LEFT JOIN devices AS d USING (device_id)
    WHERE
        a.path NOT LIKE '%.app/%' IS NOT false
        AND ($with_apple OR a.bundle_id NOT LIKE 'com.apple.%' IS NOT false)
        AND ($platform = 'any' OR coalesce(a.device_family, d.platform) = $platform)
),
chosen AS (
    SELECT name, bundle_id, count(DISTINCT device_id) AS devices
    FROM found
    WHERE coalesce(name, bundle_id) IS NOT NULL
    GROUP BY name, bundle_id
    ORDER BY devices DESC, name, bundle_id
    LIMIT $top
),
copies AS (
    SELECT c.name, c.bundle_id, f.device_id, f.version
    FROM found AS f
    JOIN chosen AS c ON c.name IS NOT DISTINCT FROM f.name AND c.bundle_id IS NOT DISTINCT FROM f.bundle_id
),
keys AS (
    SELECT version, version_key(version) AS key
    FROM (SELECT DISTINCT version FROM copies)
),
-- versions that are written differently and are the same, as 7.9 and 7.9.0, have one place
ranked AS (
    SELECT c.name, c.bundle_id, c.device_id, c.version, dense_rank() OVER app AS place
    FROM (SELECT c.*, k.key FROM copies AS c JOIN keys AS k ON k.version = c.version AND k.key IS NOT NULL) AS c
    WINDOW app AS (PARTITION BY c.name, c.bundle_id ORDER BY c.key DESC)
),
in_use AS (
    SELECT
        name,
        bundle_id,
        max(version) FILTER (place = 1) AS newest_version,
        max(version) FILTER (place = 2) AS second_version,
        max(version) FILTER (place = 3) AS third_version,
        max(place) AS versions
    FROM ranked
    GROUP BY ALL
),
placed AS (
    SELECT c.name, c.bundle_id, c.device_id, max(r.place) AS place
    FROM (SELECT DISTINCT name, bundle_id, device_id FROM copies) AS c
    LEFT JOIN ranked AS r
        ON r.device_id = c.device_id
        AND r.name IS NOT DISTINCT FROM c.name
        AND r.bundle_id IS NOT DISTINCT FROM c.bundle_id
    GROUP BY ALL
)
SELECT
    coalesce(p.name, p.bundle_id) AS app,
    p.bundle_id,
    count(*) AS devices,
    count(*) FILTER (p.place = 1) AS newest,
    count(*) FILTER (p.place = 2) AS second_newest,
    count(*) FILTER (p.place = 3) AS third_newest,
    count(*) FILTER (p.place > 3) AS older,
    count(*) FILTER (p.place IS NULL) AS unknown,
    any_value(u.newest_version) AS newest_version,
    any_value(u.second_version) AS second_version,
    any_value(u.third_version) AS third_version,
    coalesce(any_value(u.versions), 0) AS versions,
    count(*) FILTER (d.is_missing) AS missing,
    count(*) FILTER (d.is_removed) AS removed
FROM placed AS p
LEFT JOIN in_use AS u ON u.name IS NOT DISTINCT FROM p.name AND u.bundle_id IS NOT DISTINCT FROM p.bundle_id
LEFT JOIN devices AS d USING (device_id)
GROUP BY p.name, p.bundle_id
ORDER BY devices DESC, app, p.bundle_id;
