-- title: Devices by tag
-- description: How many devices carry each tag, tags without devices and devices without tags included. A device with
--   several tags counts for each. Devices marked missing or removed are counted, and shown beside.
-- counts: devices
-- like: devices_by
-- chart: bar x=tag y=devices unit=devices
-- says: {count|tag|tags}, a device with several counted for each; {top tag by devices} is on most.
-- column: tag_id | Identifier of the tag.
WITH tagged AS (
    SELECT
        device_id,
        is_missing,
        is_removed,
        unnest(CASE WHEN len(tags) > 0 THEN list_distinct(tags) ELSE ['(no tag)'] END) AS tag
    FROM devices
)
SELECT
    coalesce(d.tag, t.name) AS tag,
    count(d.device_id) AS devices,
    count(d.device_id) FILTER (d.is_missing) AS missing,
    count(d.device_id) FILTER (d.is_removed) AS removed,
    t.id AS tag_id
FROM tags AS t
FULL JOIN tagged AS d ON d.tag = t.name
GROUP BY ALL
ORDER BY devices DESC, tag, tag_id;
