-- title: Licences used and left
-- description: Licences or seats, used and free, against devices: how many devices the plan allows, how many the provider
--   counts, and how many more can be enrolled (negative where there are too many). Beside them what the mirror lists, removed devices
--   apart: numbers that should agree. The provider gives no date on which licences expire, and no price. Empty where the
--   licences were not read.
-- chart: bar x=plan_type y=used unit=devices
-- says: {sum used} of {sum max_devices|licence|licences} used; {sum left_to_enrol} more can be enrolled.
-- column: used | Devices as the provider counts them.
-- column: left_to_enrol | How many more may be enrolled; negative where there are too many.
-- column: mirrored_devices | Devices in the mirror that are not removed.
-- column: mirrored_removed | Removed devices in the mirror.
-- column: used_percent | Share of the licences that is used, in percent.
-- column: macs_left | How many more Macs may be enrolled; NULL where the plan has one number for all devices.
-- column: ios_ipados_left | How many more iPhones and iPads may be enrolled; NULL where the plan has one number for all devices.
SELECT
    l.plan_type,
    l.max_devices,
    l.computers_count AS used,
    l.max_devices - l.computers_count AS left_to_enrol,
    l.over_license_limit,
    l.macos_count AS macs,
    l.ios_count AS iphones,
    l.ipados_count AS ipads,
    l.tvos_count AS apple_tvs,
    l.max_macos,
    l.max_ios_ipados,
    (SELECT count(*) FROM devices WHERE NOT coalesce(is_removed, false)) AS mirrored_devices,
    (SELECT count(*) FROM devices WHERE is_removed) AS mirrored_removed,
    round(100.0 * l.computers_count / nullif(l.max_devices, 0), 1) AS used_percent,
    CASE WHEN l.max_macos > 0 OR l.max_ios_ipados > 0 THEN l.max_macos - l.macos_count END AS macs_left,
    CASE
        WHEN l.max_macos > 0 OR l.max_ios_ipados > 0
            THEN l.max_ios_ipados - coalesce(l.ios_count, 0) - coalesce(l.ipados_count, 0)
    END AS ios_ipados_left
FROM licensing AS l
ORDER BY l.plan_type;
