-- title: Patch report by blueprint
-- description: For every blueprint how many of its devices run the newest macOS, iOS or iPadOS that their model can run,
--   how many the newest of their own major version, how many are behind and by how many days, and how many lack fixes of
--   vulnerabilities that are exploited. Patched is who runs the newest of all, or the newest of a major version that
--   still gets fixes. Shares are of all devices of the blueprint: what is not known (Windows, Android, Apple TV, models
--   and versions that the feed of releases does not know) counts as neither, and where it is of no device, NULL.
--   Devices without a blueprint are (no blueprint). Devices marked missing or removed are counted, and shown
--   beside.
-- counts: devices
-- for: pictures
-- param: platform enum(any, Mac, iPhone, iPad) = any | Which devices.
-- chart: stacked x=blueprint y=current,current_of_major,behind,beta,newer_than_feed,unknown unit=devices top=50
-- says: {share patched of devices} of {sum devices|device|devices} patched, {sum unknown} not known; {sum with_exploited}
--   lack fixes of exploited vulnerabilities, most of them in {top blueprint by with_exploited}.
-- column: current | How many run the newest release that their model can run.
-- column: current_of_major | How many run the newest of their major version, where their model can run a newer one.
-- column: behind | How many lack a release of their own major version or run one that is not the newest of any.
-- column: beta | How many run a beta.
-- column: newer_than_feed | How many run what the feed does not have yet.
-- column: unknown | Of how many it is not known.
-- column: patched | How many run the newest of all, or of a major version that still gets fixes.
-- column: percent_patched | Share of these, in percent of all devices.
-- column: median_days_behind | Half of those that are behind on any release are so for fewer days.
-- column: with_exploited | How many lack fixes of vulnerabilities that are exploited.
-- column: exploited_cves | How many such vulnerabilities.
-- column: without_supported_os | How many can run no system that still gets fixes.
SELECT
    coalesce(blueprint_name, '(no blueprint)') AS blueprint,
    count(*) AS devices,
    count(*) FILTER (currency = 'current') AS current,
    count(*) FILTER (currency = 'current of its major') AS current_of_major,
    count(*) FILTER (currency = 'behind') AS behind,
    count(*) FILTER (currency = 'beta') AS beta,
    count(*) FILTER (currency = 'newer than the feed') AS newer_than_feed,
    count(*) FILTER (currency = 'unknown') AS unknown,
    CASE
        WHEN unknown < count(*)
            THEN count(*) FILTER (currency = 'current' OR currency = 'current of its major' AND major_gets_fixes)
    END AS patched,
    round(100.0 * patched / count(*), 1) AS percent_patched,
    median(days_behind) FILTER (days_behind > 0) AS median_days_behind,
    CASE WHEN count(exploited_lacked) > 0 THEN count(*) FILTER (exploited_lacked > 0) END AS with_exploited,
    CASE WHEN count(exploited_lacked) > 0
        THEN len(list_distinct(flatten(list(exploited_cves_lacked)))) END AS exploited_cves,
    CASE WHEN count(model_gets_fixes) > 0 THEN count(*) FILTER (NOT model_gets_fixes) END AS without_supported_os,
    count(*) FILTER (is_missing) AS missing,
    count(*) FILTER (is_removed) AS removed,
    blueprint_id
FROM os_currency
WHERE $platform = 'any' OR platform = $platform
GROUP BY blueprint_id, blueprint_name
ORDER BY blueprint, blueprint_id;
