-- title: Every app, version and number of installs
-- description: One row for each app and version in the whole fleet: on how many devices it is, how many copies there
--   are, and on which platforms. What lies inside another app, as helpers do, has rows
--   of its own. Complete; made for `--format csv`.
-- counts: devices
-- column: platforms | Platforms on which it is.
-- leads: copies to apps(name=app, bundle_id=bundle_id, version=version)
WITH counted AS (
    SELECT
        name,
        bundle_id,
        version,
        sum(copies)::BIGINT AS copies,
        min(first_path) IS NOT DISTINCT FROM max(last_path) AND sum(placed) IN (0, sum(copies)) AS at_one_path,
        string_agg(platform, ', ' ORDER BY platform) AS platforms
    FROM (
        SELECT
            name,
            bundle_id,
            version,
            device_family AS platform,
            count(*) AS copies,
            min(path) AS first_path,
            max(path) AS last_path,
            count(path) AS placed
        FROM apps
        GROUP BY ALL
    )
    GROUP BY ALL
),
-- a device has an app at one path once, so only those at several paths need their devices told apart, which is slow
scattered AS (
    SELECT c.name, c.bundle_id, c.version, count(DISTINCT a.device_id) AS devices
    FROM counted AS c
    JOIN apps AS a
        ON a.name IS NOT DISTINCT FROM c.name
        AND a.bundle_id IS NOT DISTINCT FROM c.bundle_id
        AND a.version IS NOT DISTINCT FROM c.version
    WHERE NOT c.at_one_path
    GROUP BY ALL
),
versions AS (
    SELECT version, version_key(version) AS key
    FROM (SELECT DISTINCT version FROM counted)
)
SELECT c.name AS app, c.bundle_id, c.version, coalesce(s.devices, c.copies) AS devices, c.copies, c.platforms
FROM counted AS c
JOIN versions AS v ON v.version IS NOT DISTINCT FROM c.version
LEFT JOIN scattered AS s
    ON s.name IS NOT DISTINCT FROM c.name
    AND s.bundle_id IS NOT DISTINCT FROM c.bundle_id
    AND s.version IS NOT DISTINCT FROM c.version
ORDER BY app, c.bundle_id, v.key DESC NULLS LAST, c.version;
