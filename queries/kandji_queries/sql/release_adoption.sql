-- title: Adoption of a release day by day
-- description: On each day since a release of macOS, iOS or iPadOS came out: of the devices in the device list whose
--   model can run it, how many had it or a newer version at the end of that day (UTC; today: now), and which share that
--   is. Put together from the changes the mirror has seen: days before its history began are left out, of which a note
--   tells, and a change counts for the day the mirror saw it. What a model can run is by the feed of releases; devices
--   without a known model have no part in it, and a beta counts as its version, since only versions are in the
--   changes. Without a version it is the newest release of all. Devices marked missing or removed are counted.
-- for: pictures
-- param: os enum(macOS, iOS) = macOS | Which system; iOS stands for iPadOS too.
-- param: version version optional | The release, such as 26.1; without one the newest.
-- param: days_after int = 365 [1, 3650] | Days after the release that are told.
-- chart: line x=day y=percent unit=percent
-- says: {last version}: from {first percent} % on {first day} to {last percent} % on {last day}, {last devices} of {last
--   eligible|device|devices}.
-- since: (SELECT max(release_date) FROM os_releases WHERE os = $os AND version_extra IS NULL AND
--   release_type IS DISTINCT FROM 'BSI' AND ($version IS NULL OR os_place(version) = os_place($version)))
-- column: day | The day, UTC.
-- column: days_since_release | Days since the release came out.
-- column: devices | Devices that had it, or a newer version.
-- column: eligible | Devices in the device list whose model can run it.
-- column: percent | Their share, in percent.
WITH utc AS (SELECT now() AT TIME ZONE 'UTC' AS moment),
release AS (
    SELECT *
    FROM (
        SELECT *, os_place(version) AS place
        FROM os_releases
        WHERE os = $os AND version_extra IS NULL AND release_type IS DISTINCT FROM 'BSI'
    )
    WHERE $version IS NULL OR place = os_place($version)
    QUALIFY dense_rank() OVER (ORDER BY place DESC) = 1
),
asked AS (
    SELECT any_value(version) AS version, max(place) AS place, min(release_date)::DATE AS day
    FROM release
    HAVING count(*) > 0
),
-- the day after today is that of changes from a clock that was ahead: they had not happened at any of these moments
days AS (
    SELECT
        unnest(generate_series(a.day, utc.moment::DATE + 1, INTERVAL 1 DAY))::DATE AS day,
        a.day AS released,
        utc.moment::DATE AS today
    FROM asked AS a
    CROSS JOIN utc
),
begins AS (
    SELECT coalesce((SELECT since FROM history WHERE table_name = 'devices'), moment) AS since
    FROM utc
),
models AS (
    SELECT device_id, coalesce(nullif(i.model_id, ''), nullif(x.model_identifier, '')) AS model
    FROM devices
    LEFT JOIN prism_device_information AS i USING (device_id)
    LEFT JOIN device_details AS x USING (device_id)
    UNION ALL
    SELECT device_id, arg_max(old_row ->> '$.model_id', removed_at)
    FROM removed_rows
    WHERE table_name = 'prism_device_information' AND device_id NOT IN (SELECT device_id FROM devices)
    GROUP BY device_id
),
gone AS (
    SELECT device_id, removed_at, old_row ->> '$.os_version' AS os_version
    FROM removed_rows
    WHERE table_name = 'devices'
),
eligible AS (
    SELECT d.device_id
    FROM models AS d
    JOIN device_models AS m ON m.model_identifier = d.model AND m.os = $os
    JOIN release AS r ON can_run_release(
        d.model, m.majors, r.os, r.major, r.scope, r.supported_models, name := r.name
    )
    GROUP BY d.device_id
),
live AS (
    SELECT d.device_id, coalesce(os_place(d.os_version) >= a.place, false) AS has_it
    FROM devices AS d
    SEMI JOIN eligible AS e USING (device_id)
    CROSS JOIN asked AS a
),
-- whether it had the release before each change, and the day from whose end on the change holds
befores AS (
    SELECT
        c.device_id,
        c.changed_at,
        CASE WHEN c.changed_at > utc.moment THEN utc.moment::DATE + 1
            ELSE (c.changed_at - INTERVAL 1 MICROSECOND)::DATE END AS day,
        c.change <> 'added' AS was_listed,
        coalesce(
            os_place(CASE c.change WHEN 'removed' THEN g.os_version ELSE c.old_value END) >= a.place,
            false
        ) AS had_it
    FROM changes AS c
    SEMI JOIN eligible AS e USING (device_id)
    CROSS JOIN utc
    CROSS JOIN asked AS a
    LEFT JOIN gone AS g ON g.device_id = c.device_id AND g.removed_at = c.changed_at AND c.change = 'removed'
    WHERE
        c.table_name = 'devices'
        AND (c.change <> 'changed' OR c.column_name = 'os_version')
        AND c.changed_at > a.day
),
-- each change takes a device from one state to the one before the next change, or of now
steps AS (
    SELECT
        b.day,
        b.was_listed::INTEGER
        - CASE WHEN lead(b.day) OVER device IS NULL THEN l.device_id IS NOT NULL
            ELSE lead(b.was_listed) OVER device END::INTEGER AS eligible,
        (b.was_listed AND b.had_it)::INTEGER
        - CASE WHEN lead(b.day) OVER device IS NULL THEN coalesce(l.has_it, false)
            ELSE lead(b.was_listed AND b.had_it) OVER device END::INTEGER AS devices
    FROM befores AS b
    LEFT JOIN live AS l USING (device_id)
    WINDOW device AS (PARTITION BY b.device_id ORDER BY b.changed_at)
),
changed AS (
    SELECT day, sum(eligible) AS eligible, sum(devices) AS devices
    FROM steps
    GROUP BY day
),
present AS (
    SELECT count(*) AS eligible, count(*) FILTER (has_it) AS devices
    FROM live
),
-- of every day: what there is now, and what changes after that day took from it
told AS (
    SELECT
        d.*,
        (n.eligible + coalesce(sum(c.eligible) OVER later, 0))::BIGINT AS eligible,
        (n.devices + coalesce(sum(c.devices) OVER later, 0))::BIGINT AS devices
    FROM days AS d
    CROSS JOIN present AS n
    LEFT JOIN changed AS c ON c.day = d.day
    WINDOW later AS (ORDER BY d.day DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
)
SELECT
    t.day,
    t.day - t.released AS days_since_release,
    a.version,
    t.devices,
    t.eligible,
    round(100.0 * t.devices / nullif(t.eligible, 0), 1) AS percent
FROM told AS t
CROSS JOIN asked AS a
CROSS JOIN begins AS b
WHERE
    (t.day = t.today OR t.day < t.today AND t.day + 1 >= b.since)
    AND t.day - t.released <= $days_after
    AND t.eligible > 0
ORDER BY t.day;
