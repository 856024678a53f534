-- title: How fast blueprints install releases
-- description: For every blueprint how many days went by from the release of a version of macOS, iOS or iPadOS until a
--   device was seen to have it, in the middle and for the slowest tenth, of all updates of the last days. Put together
--   from the changes the mirror has seen: updates before its history began are not known, one counts for the day the
--   mirror saw it, a device that came with a version did not install it, and one that has not updated yet has no part in
--   it: patch_report counts those. Devices are those of the device list, in the blueprint that they are in now. Updates
--   to versions that the feed of releases does not have, or has with a later date, are told beside. Devices marked
--   missing or removed are counted.
-- counts: devices
-- for: pictures
-- param: days int = 180 [1, 3650] | Days back.
-- param: platform enum(any, Mac, iPhone, iPad) = any | Which devices.
-- chart: bar x=blueprint y=median_days unit=days
-- says: {sum installations|update|updates}; slowest by the median is {top blueprint by median_days}: {max median_days}
--   days.
-- since: (now() AT TIME ZONE 'UTC')::DATE - $days::INTEGER
-- column: installations | Updates of a device to a release, each counted.
-- column: devices | Devices with such an update.
-- column: median_days | Days from the release to its installation, of the update in the middle.
-- column: slowest_tenth_days | Nine of ten updates took fewer days.
-- column: fastest_days | Of the fastest one.
-- column: slowest_days | Of the slowest one.
-- column: not_dated | Updates to a version that the feed does not have, or has as released later.
WITH released AS (
    SELECT os, os_place(version) AS place, min(release_date)::DATE AS day
    FROM os_releases
    WHERE version_extra IS NULL AND release_type IS DISTINCT FROM 'BSI'
    GROUP BY ALL
),
updates AS (
    SELECT
        d.blueprint_id,
        d.blueprint_name,
        d.device_id,
        date_diff('day', r.day, c.changed_at) AS days
    FROM changes AS c
    JOIN devices AS d USING (device_id)
    LEFT JOIN released AS r
        ON
            r.os = CASE d.platform WHEN 'Mac' THEN 'macOS' ELSE 'iOS' END
            AND r.place = os_place(c.new_value)
    WHERE
        c.table_name = 'devices'
        AND c.column_name = 'os_version'
        AND c.changed_at >= (now() AT TIME ZONE 'UTC')::DATE - $days::INTEGER
        AND d.platform IN ('Mac', 'iPhone', 'iPad')
        AND ($platform = 'any' OR d.platform = $platform)
        AND os_place(c.new_value) > os_place(c.old_value)
)
SELECT
    coalesce(blueprint_name, '(no blueprint)') AS blueprint,
    count(*) FILTER (days >= 0) AS installations,
    count(DISTINCT device_id) FILTER (days >= 0) AS devices,
    median(days) FILTER (days >= 0) AS median_days,
    quantile_cont(days, 0.9) FILTER (days >= 0) AS slowest_tenth_days,
    min(days) FILTER (days >= 0) AS fastest_days,
    max(days) FILTER (days >= 0) AS slowest_days,
    count(*) FILTER (coalesce(days < 0, true)) AS not_dated,
    blueprint_id
FROM updates
GROUP BY blueprint_id, blueprint_name
ORDER BY median_days DESC NULLS LAST, blueprint, blueprint_id;
