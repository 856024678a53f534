-- title: How current the operating system of every device is, one row a device
-- key: device_id
-- description: Per device of the device list the newest version of macOS, iOS or iPadOS that its model can run, how far
--   it is behind, and the security fixes it lacks, by the public feed of releases (os_releases). What is not known is
--   NULL and the currency unknown, never current: without the feed, for models that it does not know, for Windows,
--   Android, Apple TV and Vision. os_currency_as_of(moment) tells the same of a day: devices as they were then, releases
--   up to then, days counted on that day; what is exploited is what is known now. Removed and missing devices are
--   included, see is_missing and is_removed.
-- column: model_identifier | Apple's identifier, such as Mac14,2: of Prism (model_id), else of device_details.
-- column: os | macOS, or iOS, which stands for iPadOS too; NULL where no feed tells of the platform.
-- column: os_version | Version as reported: of devices, else of Prism, else of device_details.
-- column: version_extra | Letter of the security response that it has, such as (a): as devices or Prism say it, or by its
--   build or the text of its version.
-- column: os_build | Build: of devices, else of Prism where that has the same version, else in the text of the version.
-- column: currency | current (the newest its model can run), current of its major (its model can run a newer major),
--   behind, beta, newer than the feed, or unknown; of a past day os_currency_as_of('2026-09-01') tells it.
-- column: why | Why it is unknown, beta or newer, or how old the feed is where that is due; else NULL.
-- column: newest_version | Newest release that its model can run, of any major.
-- column: newest_of_major | Newest release of its own major that its model can run.
-- column: versions_behind | How many newer releases its model can run; security responses are no versions.
-- column: days_behind | Days since the first release came out that is newer and that its model can run; 0 where none is.
-- column: versions_behind_in_major | How many newer releases of its own major its model can run.
-- column: days_behind_in_major | Days since the first of its own major came out that is newer and for its model.
-- column: fixes_lacked | CVEs fixed in a newer release its model can run, or in a security response it has not, and in
--   no release of its own major up to its version.
-- column: exploited_lacked | How many of the fixes it lacks are of exploited CVEs, by the feed or by CISA's catalogue.
-- column: exploited_cves_lacked | The exploited CVEs whose fixes it lacks.
-- column: fixes_lacked_in_major | How many of the fixes it lacks a newer release of its own major has.
-- column: exploited_lacked_in_major | How many of these are of exploited CVEs.
-- column: exploited_cves_lacked_in_major | The exploited CVEs that a newer release of its own major fixes.
-- column: major_gets_fixes | Whether its major had a release for its model within 180 days.
-- column: model_gets_fixes | Whether any release for its model came within 180 days: false where it can run no supported
--   system.
-- column: feed_age | Hours since the feed of releases was read.
-- ask: Which Macs are behind on patches, and how long | SELECT device_name, serial_number, os_version, newest_version,
--   days_behind, exploited_lacked FROM os_currency WHERE platform = 'Mac' AND currency = 'behind' ORDER BY days_behind
--   DESC
-- ask: How many devices are up to date | SELECT platform, currency, count(*) AS devices FROM os_currency GROUP BY ALL
--   ORDER BY ALL
-- ask: Which devices lack fixes that are exploited | SELECT device_name, serial_number, os_version, newest_version,
--   exploited_cves_lacked FROM os_currency WHERE exploited_lacked > 0 ORDER BY exploited_lacked DESC, device_name
WITH
-- os_currency_as_of has the moment that is asked for in place of now(), and both tables of devices as they were then
feed AS (
    SELECT
        utc.moment,
        utc.moment::DATE AS day,
        s.synced_at AS read_at,
        epoch(utc.moment - s.synced_at) AS age,
        s.ttl_seconds,
        (SELECT count(*) FROM main.os_release_cves) > 0 AS has_fixes
    FROM (SELECT now() AT TIME ZONE 'UTC' AS moment) AS utc
    LEFT JOIN internal.table_states AS s ON s.table_name = 'os_releases'
),
releases AS (
    SELECT
        row_number() OVER () AS id,
        r.os,
        r.major,
        r.version,
        r.version_extra,
        r.build,
        r.builds,
        r.scope,
        r.supported_models,
        r.release_date::DATE AS day,
        os_place(r.version) AS base,
        os_place(r.version, r.version_extra) AS place,
        -- only these count as versions; a security response counts for its fixes
        r.version_extra IS NULL AND r.release_type IS DISTINCT FROM 'BSI' AS is_version,
        -- names of responses are ours, and leave out that they are for iPads too
        CASE WHEN is_version THEN r.name END AS name
    FROM main.os_releases AS r
    CROSS JOIN feed
    -- what was in the feed was out when that was read, whatever date it has there, and so is all of it at present
    WHERE
        base IS NOT NULL
        AND (
            coalesce(r.release_date <= feed.moment OR feed.read_at <= feed.moment, true)
            OR feed.moment >= current_timestamp AT TIME ZONE 'UTC'
        )
),
facts AS (
    SELECT
        d.device_id,
        d.serial_number,
        d.device_name,
        d.platform,
        d.blueprint_id,
        d.blueprint_name,
        d.last_check_in,
        d.is_missing,
        d.is_removed,
        CASE d.platform WHEN 'Mac' THEN 'macOS' WHEN 'iPhone' THEN 'iOS' WHEN 'iPad' THEN 'iOS' END AS os,
        coalesce(nullif(i.model_id, ''), nullif(i.model_identifier, ''), nullif(x.model_identifier, '')) AS model,
        coalesce(nullif(d.os_version, ''), nullif(i.os_version, ''), nullif(x.os_version, '')) AS version,
        -- what Prism says goes with the version that it says
        coalesce(
            nullif(d.supplemental_os_version_extra, ''),
            CASE WHEN i.os_version = coalesce(nullif(d.os_version, ''), i.os_version)
                THEN nullif(i.supplemental_os_version_extra, '') END
        ) AS extra,
        coalesce(
            nullif(d.supplemental_build_version, ''),
            CASE WHEN i.os_version = coalesce(nullif(d.os_version, ''), i.os_version)
                THEN coalesce(nullif(i.supplemental_build_version, ''), nullif(i.os_build, '')) END
        ) AS build
    FROM main.devices AS d
    LEFT JOIN main.prism_device_information AS i USING (device_id)
    LEFT JOIN main.device_details AS x USING (device_id)
),
builds AS (
    SELECT os, base, build, max(version_extra) AS version_extra
    FROM (SELECT os, base, version_extra, unnest(list_append(builds, build)) AS build FROM releases)
    GROUP BY ALL
),
said AS (
    SELECT
        *,
        os_place(version) AS base,
        nullif(regexp_extract(coalesce(extra, regexp_extract(version, '\(.\)')), '^\(?([a-z])\)?$', 1), '') AS letter,
        coalesce(build, nullif(regexp_extract(version, '\b\d{2}[A-Z]\d{1,6}[a-z]?\b'), '')) AS whole_build
    FROM (SELECT DISTINCT os, version, extra, build FROM facts WHERE os IS NOT NULL)
),
-- builds of seeds end with a letter, as those of responses do, whose numbers have six digits
read AS (
    SELECT
        s.*,
        (s.base // 32000000000)::VARCHAR AS major,
        coalesce(b.version_extra, '(' || s.letter || ')') AS version_extra,
        regexp_matches(s.version, '(?i)\b(beta|seed)\b')
        OR regexp_matches(s.whole_build, '[a-z]$')
        AND b.build IS NULL
        AND NOT regexp_matches(s.whole_build, '\d{6}[a-z]$') AS is_beta
    FROM said AS s
    LEFT JOIN builds AS b ON b.os = s.os AND b.base = s.base AND b.build = s.whole_build
),
places AS (
    SELECT
        *,
        CASE WHEN is_beta THEN base - 1 ELSE os_place(version, version_extra) END AS place
    FROM read
),
devices_read AS (
    SELECT f.* EXCLUDE (extra, build), m.majors, p.* EXCLUDE (os, version, extra, build)
    FROM facts AS f
    LEFT JOIN places AS p
        ON
            p.os = f.os
            AND p.version IS NOT DISTINCT FROM f.version
            AND p.extra IS NOT DISTINCT FROM f.extra
            AND p.build IS NOT DISTINCT FROM f.build
    LEFT JOIN main.device_models AS m ON m.model_identifier = f.model AND m.os = f.os
),
-- what the device runs its model can run, though a list of the feed may have lost it; not what is above them all
pairs AS (
    SELECT
        os,
        model,
        major,
        majors || CASE WHEN major::INTEGER < list_max(try_cast(majors AS INTEGER[])) THEN [major] ELSE [] END AS majors
    FROM devices_read
    WHERE majors IS NOT NULL
    GROUP BY ALL
),
-- models that can run the same releases are one class
runs AS (
    SELECT p.os, p.model, p.major, list(r.id ORDER BY r.id) AS ids
    FROM pairs AS p
    JOIN releases AS r
        ON r.os = p.os AND can_run_release(
            p.model, p.majors, r.os, r.major, r.scope, r.supported_models, name := r.name
        )
    GROUP BY ALL
),
classed AS (
    SELECT *, dense_rank() OVER (ORDER BY os, major, ids) AS class
    FROM runs
),
-- the version from which on a response is in all; one that came out before has it not, though its number is higher
taken_over AS (
    SELECT r.id, min(v.place) AS place
    FROM releases AS r
    JOIN releases AS v ON v.os = r.os AND v.major = r.major AND v.place > r.place AND coalesce(v.day >= r.day, true)
    WHERE NOT r.is_version AND v.is_version
    GROUP BY r.id
),
class_releases AS (
    SELECT
        c.class,
        r.id,
        r.place,
        r.version,
        r.day,
        r.is_version,
        list_contains(c.ids, r.id) AS can_run,
        r.major IS NOT DISTINCT FROM c.major AS is_own,
        CASE WHEN r.is_version THEN r.place ELSE t.place END AS fixed_from
    FROM (SELECT class, os, major, any_value(ids) AS ids FROM classed GROUP BY ALL) AS c
    JOIN releases AS r ON r.os = c.os AND (list_contains(c.ids, r.id) OR r.major IS NOT DISTINCT FROM c.major)
    LEFT JOIN taken_over AS t ON t.id = r.id
),
devices_classed AS (
    SELECT d.*, c.class
    FROM devices_read AS d
    LEFT JOIN classed AS c ON c.os = d.os AND c.model = d.model AND c.major IS NOT DISTINCT FROM d.major
),
-- devices of one class and place lack the same
states AS (
    SELECT DISTINCT class, place
    FROM devices_classed
    WHERE class IS NOT NULL
),
versions AS (
    SELECT
        s.class,
        s.place,
        arg_max(r.version, r.place) FILTER (r.is_version) AS newest,
        max(r.place) FILTER (r.is_version) AS newest_place,
        arg_max(r.version, r.place) FILTER (r.is_version AND r.is_own) AS newest_own,
        max(r.place) FILTER (r.is_version AND r.is_own) AS newest_own_place,
        max(r.day) AS last_day,
        max(r.day) FILTER (r.is_own) AS last_own_day,
        count(DISTINCT r.place) FILTER (r.is_version AND r.place > s.place) AS versions,
        min(r.day) FILTER (r.is_version AND r.place > s.place) AS since,
        count(DISTINCT r.place) FILTER (r.is_version AND r.is_own AND r.place > s.place) AS own_versions,
        min(r.day) FILTER (r.is_version AND r.is_own AND r.place > s.place) AS own_since
    FROM states AS s
    JOIN class_releases AS r ON r.class = s.class AND r.can_run
    GROUP BY s.class, s.place
),
fixes AS (
    SELECT
        r.class,
        f.cve_id,
        max(r.place) FILTER (r.can_run) AS place,
        max(r.place) FILTER (r.can_run AND r.is_own) AS own_place,
        min(r.fixed_from) FILTER (r.is_own) AS first_own_place,
        list(r.place) FILTER (r.is_own AND NOT r.is_version) AS own_responses
    FROM class_releases AS r
    JOIN (
        SELECT r.id, c.cve_id
        FROM main.os_release_cves AS c
        JOIN releases AS r
            ON
                r.os = c.os
                AND r.version = c.version
                AND r.version_extra IS NOT DISTINCT FROM c.version_extra
                AND r.build IS NOT DISTINCT FROM c.build
    ) AS f USING (id)
    GROUP BY ALL
),
exploited AS (
    SELECT cve_id FROM main.os_release_cves WHERE exploited OR in_kev
    UNION
    SELECT cve_id FROM main.known_exploited_vulnerabilities
),
lacked AS (
    SELECT
        s.class,
        s.place,
        count(*) AS fixes,
        list(f.cve_id ORDER BY f.cve_id) FILTER (e.cve_id IS NOT NULL) AS exploited,
        count(*) FILTER (f.own_place > s.place) AS own_fixes,
        list(f.cve_id ORDER BY f.cve_id) FILTER (e.cve_id IS NOT NULL AND f.own_place > s.place) AS own_exploited
    FROM states AS s
    JOIN fixes AS f ON f.class = s.class AND f.place > s.place AND coalesce(f.first_own_place > s.place, true)
    LEFT JOIN exploited AS e ON e.cve_id = f.cve_id
    WHERE
        f.own_responses IS NULL
        OR NOT list_has_any(f.own_responses, range(s.place - s.place % 32 + 1, s.place + 1))
    GROUP BY s.class, s.place
),
judged AS (
    SELECT
        d.*,
        feed.* EXCLUDE (moment),
        n.* EXCLUDE (class, place),
        l.* EXCLUDE (class, place),
        coalesce(d.base > n.newest_place OR d.base > n.newest_own_place, false) AS is_newer,
        d.base = n.newest_place AS is_newest,
        d.base = n.newest_own_place AS is_newest_own,
        CASE
            WHEN d.os IS NULL THEN 'no feed tells of ' || coalesce(d.platform, 'a device without a platform')
            WHEN feed.read_at IS NULL
                THEN 'the feed of releases was never read; KANDJI_MIRROR_FEEDS=sofa switches it on'
            WHEN d.model IS NULL THEN 'its model is not known: neither Prism nor its details say it'
            WHEN d.majors IS NULL AND d.os NOT IN (SELECT os FROM main.device_models)
                THEN 'of ' || d.os || ' no document of the feed was read yet'
            WHEN d.majors IS NULL THEN 'the feed does not know what the model ' || d.model[:40] || ' can run'
            WHEN d.version IS NULL THEN 'its version is not known'
            WHEN d.place IS NULL THEN 'its version ' || d.version[:40] || ' cannot be read'
            WHEN n.newest IS NULL THEN 'the feed has no release for the model ' || d.model[:40]
        END AS doubt
    FROM devices_classed AS d
    CROSS JOIN feed
    LEFT JOIN versions AS n ON n.class = d.class AND n.place IS NOT DISTINCT FROM d.place
    LEFT JOIN lacked AS l ON l.class = d.class AND l.place = d.place
),
-- of a version above all of the feed, or of its major in it, nothing is known of what it lacks
told AS (
    SELECT
        *,
        doubt IS NULL AND NOT is_newer AS is_known,
        doubt IS NULL AND NOT is_newer AND newest_own IS NOT NULL AS is_known_own,
        doubt IS NULL AND NOT is_newer AND has_fixes AS has_known_fixes
    FROM judged
)
SELECT
    device_id,
    serial_number,
    device_name,
    platform,
    model AS model_identifier,
    blueprint_name,
    os,
    version AS os_version,
    version_extra,
    whole_build AS os_build,
    CASE
        WHEN doubt IS NOT NULL THEN 'unknown'
        WHEN is_beta THEN 'beta'
        WHEN is_newer THEN 'newer than the feed'
        WHEN is_newest THEN 'current'
        WHEN is_newest_own THEN 'current of its major'
        ELSE 'behind'
    END AS currency,
    CASE
        WHEN doubt IS NOT NULL THEN doubt
        WHEN is_beta THEN 'a beta' || coalesce(': build ' || whole_build, '')
        WHEN is_newer THEN 'the feed has nothing newer than ' || coalesce(newest_own, newest) || ' for it'
        WHEN age > 2 * ttl_seconds THEN 'by a feed that is ' || floor(age / 86400)::BIGINT || ' days old'
    END AS why,
    newest AS newest_version,
    newest_own AS newest_of_major,
    CASE WHEN is_known THEN coalesce(versions, 0) END AS versions_behind,
    CASE WHEN is_known THEN CASE WHEN coalesce(versions, 0) = 0 OR since > day THEN 0 ELSE day - since END END AS days_behind,
    CASE WHEN is_known_own THEN coalesce(own_versions, 0) END AS versions_behind_in_major,
    CASE WHEN is_known_own THEN CASE WHEN coalesce(own_versions, 0) = 0 OR own_since > day THEN 0 ELSE day - own_since END END
        AS days_behind_in_major,
    CASE WHEN has_known_fixes THEN coalesce(fixes, 0) END AS fixes_lacked,
    CASE WHEN has_known_fixes THEN coalesce(len(exploited), 0) END AS exploited_lacked,
    CASE WHEN has_known_fixes THEN coalesce(exploited, []) END AS exploited_cves_lacked,
    CASE WHEN has_known_fixes AND is_known_own THEN coalesce(own_fixes, 0) END AS fixes_lacked_in_major,
    CASE WHEN has_known_fixes AND is_known_own THEN coalesce(len(own_exploited), 0) END AS exploited_lacked_in_major,
    CASE WHEN has_known_fixes AND is_known_own THEN coalesce(own_exploited, []) END
        AS exploited_cves_lacked_in_major,
    CASE WHEN day - last_own_day <= 180 THEN true WHEN least(day, read_at::DATE) - last_own_day > 180 THEN false END
        AS major_gets_fixes,
    CASE WHEN day - last_day <= 180 THEN true WHEN least(day, read_at::DATE) - last_day > 180 THEN false END
        AS model_gets_fixes,
    CASE WHEN age > 0 THEN age / 3600 WHEN age <= 0 THEN 0 END AS feed_age,
    last_check_in,
    blueprint_id,
    is_missing,
    is_removed
FROM told;
