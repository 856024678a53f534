-- title: How library items fare
-- description: Every library item with the number of devices in each state: passed, failed, pending (also available,
--   cached, downloading, installing or about to change), not meant for the device (excluded, incompatible), and any
--   other. Only devices whose status was read count: it takes one request a device, `kandji-mirror sync
--   device_library_items` reads them all.
-- counts: devices
-- ranks: failed
-- chart: stacked x=item y=failed,pending,passed,other,not_meant unit=devices
-- says: {count|library item|library items}: {sum failed} failed, {sum pending} pending, {sum passed} passed; {top item
--   by failed} failed most.
-- column: pending | How many are waiting or under way.
-- column: not_meant | How many it is not meant for.
-- column: other | How many are in any other state.
-- leads: devices to device_library_items(item_id=item_id)
WITH judged AS (
    SELECT
        item_id,
        name AS item,
        type,
        CASE
            WHEN upper(status) IN ('PASS', 'SUCCESS') THEN 'passed'
            WHEN upper(status) IN ('ERROR', 'FAILED') THEN 'failed'
            WHEN upper(status) IN ('PENDING', 'DOWNLOADING', 'INSTALLING', 'AVAILABLE', 'CACHED', 'CHANGE_PENDING')
                THEN 'pending'
            WHEN upper(status) IN ('EXCLUDED', 'INCOMPATIBLE') THEN 'not meant'
            ELSE 'other'
        END AS state
    FROM device_library_items
)
SELECT
    item,
    type,
    count(*) AS devices,
    count(*) FILTER (state = 'passed') AS passed,
    count(*) FILTER (state = 'failed') AS failed,
    count(*) FILTER (state = 'pending') AS pending,
    count(*) FILTER (state = 'not meant') AS not_meant,
    count(*) FILTER (state = 'other') AS other,
    item_id
FROM judged
GROUP BY item_id, item, type
ORDER BY failed DESC, pending DESC, item, item_id, type;
