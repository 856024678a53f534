-- title: What changed, day by day
-- description: How many things changed on each of the last days (UTC), by kind: apps updated, added and removed,
--   devices that came or went, profiles, posture and so on, and on how many devices. A kind that changed on one of
--   these days has a row for each of them. A change counts for the day the mirror saw it; days before its history
--   began are left out. An app that was updated on three Macs is three changes. What came or went with a device counts
--   as the device.
-- for: pictures
-- param: days int = 30 [1, 3650] | Days back.
-- chart: line x=day y=changes by=kind unit=changes
-- says: {sum changes|change|changes} from {first day} to {last day}; the most in a day were of the kind {top kind by
--   changes}: {max changes}.
-- since: (now() AT TIME ZONE 'UTC')::DATE - $days::INTEGER
-- column: day | The day, UTC.
-- column: kind | What changed in which way, such as app updated.
-- column: changes | Number of changes.
-- column: devices | Number of devices on which there was such a change.
WITH counted AS (
    SELECT
        changed_at::DATE AS day,
        thing,
        change,
        count(*) AS changes,
        count(DISTINCT device_id) AS devices
    FROM changes_between((now() AT TIME ZONE 'UTC')::DATE - $days::INTEGER, 'infinity')
    GROUP BY ALL
),
days AS (
    SELECT unnest(generate_series(greatest(h.since, u.today - $days::INTEGER), u.today, INTERVAL 1 DAY))::DATE AS day
    FROM (SELECT min(since)::DATE AS since FROM history) AS h
    CROSS JOIN (SELECT (now() AT TIME ZONE 'UTC')::DATE AS today) AS u
),
kinds AS (SELECT DISTINCT thing, change FROM counted)
SELECT
    d.day,
    k.thing || ' ' || k.change AS kind,
    coalesce(c.changes, 0) AS changes,
    coalesce(c.devices, 0) AS devices,
    k.thing,
    k.change
FROM days AS d
CROSS JOIN kinds AS k
LEFT JOIN counted AS c ON c.day = d.day AND c.thing = k.thing AND c.change = k.change
ORDER BY d.day, sum(c.changes) OVER (PARTITION BY k.thing, k.change) DESC NULLS LAST, kind;
