-- title: Devices with a tag
-- description: Devices that carry a tag, by its whole name in any letter case. Devices marked missing or removed are
--   listed with these flags.
-- counts: devices
-- param: tag text | Name of the tag.
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
FROM devices AS d
WHERE list_contains(list_transform(d.tags, lambda tag: folded(tag)), folded($tag))
ORDER BY d.device_name, d.device_id;
