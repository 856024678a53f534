-- title: Operating systems day by day
-- description: How many devices had each major version of their operating system, or each version, at the end of each
--   of the last days (UTC; today: now), and how many percent these are of all devices of the platform at that time.
--   Put together from the changes the mirror has seen: days before its history began are left out, and a change counts
--   for the day the mirror saw it. A version that some device had on one of these days has a row for each of them.
--   Devices marked missing or removed are counted.
-- for: pictures
-- param: days int = 90 [1, 3650] | Days back.
-- param: platform enum(any, Mac, iPhone, iPad, AppleTV, Vision, Windows, Android) = Mac | Which devices.
-- param: versions bool = false | Whether every version is counted for itself instead of the major ones.
-- chart: line x=day y=devices by=os unit=devices
-- says: From {first day} to {last day}; most devices at once had {top os by devices}: {max devices}.
-- since: (now() AT TIME ZONE 'UTC')::DATE - $days::INTEGER
-- column: day | The day, UTC.
-- column: os | Operating system with its major or whole version; unknown where a device did not report it.
WITH utc AS (SELECT now() AT TIME ZONE 'UTC' AS moment),
-- the day after today is that of changes from a clock that was ahead: they had not happened at any of these moments
days AS (
    SELECT unnest(generate_series(today - $days::INTEGER, today + 1, INTERVAL 1 DAY))::DATE AS day, today
    FROM (SELECT moment::DATE AS today FROM utc)
),
begins AS (
    SELECT coalesce((SELECT since FROM history WHERE table_name = 'devices'), moment) AS since
    FROM utc
),
gone AS (
    SELECT device_id, arg_max(old_row ->> '$.platform', removed_at) AS platform
    FROM removed_rows
    WHERE table_name = 'devices'
    GROUP BY device_id
),
-- the version before each change, and the day from whose end on the change holds
befores AS (
    SELECT
        c.device_id,
        c.changed_at,
        CASE WHEN c.changed_at > utc.moment THEN utc.moment::DATE + 1
            ELSE (c.changed_at - INTERVAL 1 MICROSECOND)::DATE END AS day,
        c.change <> 'added' AS was_listed,
        CASE c.change WHEN 'removed' THEN r.old_row ->> '$.os_version' ELSE c.old_value END AS version
    FROM changes AS c
    CROSS JOIN utc
    LEFT JOIN removed_rows AS r
        ON r.table_name = c.table_name
        AND r.device_id = c.device_id
        AND r.removed_at = c.changed_at
        AND c.change = 'removed'
    WHERE
        c.table_name = 'devices'
        AND (c.change <> 'changed' OR c.column_name = 'os_version')
        AND c.changed_at > utc.moment::DATE - $days::INTEGER
),
-- each change takes a device from one version, or from nowhere, to the one before the next change, or of now
steps AS (
    SELECT b.day, b.platform, b.version, b.change AS devices
    FROM (
        SELECT
            b.day,
            coalesce(d.platform, g.platform) AS platform,
            unnest(
                [
                    {'version': b.version, 'change': CASE WHEN b.was_listed THEN 1 ELSE 0 END},
                    CASE
                        WHEN lead(b.changed_at) OVER device IS NULL
                            THEN {'version': d.os_version, 'change': CASE WHEN d.device_id IS NULL THEN 0 ELSE -1 END}
                        ELSE {
                            'version': lead(b.version) OVER device,
                            'change': CASE WHEN lead(b.was_listed) OVER device THEN -1 ELSE 0 END
                        }
                    END
                ],
                recursive := true
            )
        FROM befores AS b
        LEFT JOIN devices AS d USING (device_id)
        LEFT JOIN gone AS g USING (device_id)
        WINDOW device AS (PARTITION BY b.device_id ORDER BY b.changed_at)
    ) AS b
    WHERE b.change <> 0
),
counted AS (
    SELECT NULL::DATE AS day, platform, os_version AS version, count(*) AS devices
    FROM devices
    GROUP BY ALL
    UNION ALL
    SELECT day, platform, version, sum(devices)
    FROM steps
    GROUP BY ALL
),
named AS (
    SELECT
        c.day,
        coalesce(c.platform, 'unknown') AS platform,
        CASE WHEN $versions THEN v.key ELSE v.key[1:1] END AS key,
        coalesce(CASE WHEN $versions THEN c.version ELSE v.key[1]::BIGINT::VARCHAR END, 'unknown') AS version,
        c.devices
    FROM counted AS c
    JOIN (SELECT version, version_key(version) AS key FROM (SELECT DISTINCT version FROM counted)) AS v
        ON v.version IS NOT DISTINCT FROM c.version
    WHERE $platform = 'any' OR c.platform = $platform
),
changed AS (
    SELECT day, platform, version, sum(devices) AS devices
    FROM named
    GROUP BY ALL
),
-- of every version on every day: what there is now, and what changes after that day took from it
told AS (
    SELECT
        d.day,
        d.today,
        o.platform,
        o.version,
        o.key,
        coalesce(n.devices, 0) + coalesce(sum(c.devices) OVER later, 0) AS devices
    FROM days AS d
    CROSS JOIN (SELECT platform, version, max(key) AS key FROM named GROUP BY ALL) AS o
    LEFT JOIN changed AS n ON n.day IS NULL AND n.platform = o.platform AND n.version = o.version
    LEFT JOIN changed AS c ON c.day = d.day AND c.platform = o.platform AND c.version = o.version
    WINDOW later AS (
        PARTITION BY o.platform, o.version ORDER BY d.day DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )
),
known AS (
    SELECT t.*, sum(t.devices) OVER (PARTITION BY t.day, t.platform) AS whole, max(t.devices) OVER version AS most
    FROM told AS t
    CROSS JOIN begins AS b
    WHERE t.day = t.today OR t.day < t.today AND t.day + 1 >= b.since
    WINDOW version AS (PARTITION BY t.platform, t.version)
)
SELECT
    day,
    platform,
    CASE platform
        WHEN 'Mac' THEN 'macOS'
        WHEN 'iPhone' THEN 'iOS'
        WHEN 'iPad' THEN 'iPadOS'
        WHEN 'AppleTV' THEN 'tvOS'
        WHEN 'Vision' THEN 'visionOS'
        ELSE platform
    END || ' ' || version AS os,
    devices::BIGINT AS devices,
    round(100.0 * devices / nullif(whole, 0), 1) AS percent
FROM known
WHERE most > 0
ORDER BY day, platform, key DESC NULLS LAST, version;
