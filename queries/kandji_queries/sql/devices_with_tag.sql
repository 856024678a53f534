-- title: Devices with a tag, or two
-- description: Devices that carry a tag, by its whole name in any letter case; optionally only those that carry another
--   tag too, or that do not carry a third. Devices marked missing or removed are listed with these flags.
-- counts: devices
-- param: tag text | Name of the tag.
-- param: and_tag text optional | Another tag that they carry too.
-- param: not_tag text optional | A tag that they do not carry.
WITH tagged AS (
    SELECT *, list_transform(tags, lambda tag: folded(tag)) AS folded_tags
    FROM devices
)
SELECT
    d.device_id,
    d.device_name,
    d.serial_number,
    d.platform,
    d.model,
    d.os_version,
    d.tags,
    d.user_name,
    d.user_email,
    d.blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM tagged AS d
WHERE
    list_contains(d.folded_tags, folded($tag))
    AND ($and_tag IS NULL OR list_contains(d.folded_tags, folded($and_tag)))
    AND ($not_tag IS NULL OR NOT list_contains(d.folded_tags, folded($not_tag)))
ORDER BY d.device_name, d.device_id;
