-- title: Licences used and left
-- description: How many devices the plan allows, how many the provider counts, and how many more can be enrolled
--   (negative where there are too many). Beside them what the mirror lists, removed devices apart: numbers that should
--   agree. Empty where the licences were not read.
-- chart: bar x=plan_type y=used unit=devices
-- says: {sum used} of {sum max_devices|licence|licences} used; {sum left_to_enrol} more can be enrolled.
-- column: used | Devices as the provider counts them.
-- column: left_to_enrol | How many more may be enrolled; negative where there are too many.
-- column: mirrored_devices | Devices in the mirror that are not removed.
-- column: mirrored_removed | Removed devices in the mirror.
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
    (SELECT count(*) FROM devices WHERE is_removed) AS mirrored_removed
FROM licensing AS l
ORDER BY l.plan_type;
