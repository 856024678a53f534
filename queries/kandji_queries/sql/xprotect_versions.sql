-- title: Macs by version of XProtect
-- description: How many Macs have each version of XProtect, newest first, and how many percent these are; behind is how
--   many versions in use are newer. Macs that did not report it are unknown. Macs marked missing or removed are counted,
--   and shown beside.
-- counts: devices
-- chart: bar x=xprotect_version y=macs unit=devices
-- says: {sum macs|Mac|Macs} with {count|version|versions} of XProtect; the newest is {first xprotect_version}, most
--   have {top xprotect_version by macs}.
-- column: behind | How many of the versions in use are newer.
-- column: last_collected_at | When the last of these Macs reported it.
SELECT
    coalesce(g.xprotect_version, 'unknown') AS xprotect_version,
    count(*) AS macs,
    round(100.0 * count(*) / sum(count(*)) OVER (), 1) AS percent,
    CASE
        WHEN g.xprotect_version IS NOT NULL
            THEN rank() OVER (ORDER BY version_key(g.xprotect_version) DESC NULLS LAST) - 1
    END AS behind,
    count(*) FILTER (d.is_missing) AS missing,
    count(*) FILTER (d.is_removed) AS removed,
    max(g.last_collected_at) AS last_collected_at
FROM devices AS d
LEFT JOIN prism_gatekeeper_and_xprotect AS g USING (device_id)
WHERE d.platform = 'Mac'
GROUP BY g.xprotect_version
ORDER BY version_key(g.xprotect_version) DESC NULLS LAST, xprotect_version;
