-- title: Devices of people who left
-- description: Devices assigned to somebody who is archived, as the directory says or, where the person is not in it,
--   the device. People who are merely inactive there (user_active is false) are not archived: or_inactive lists their
--   devices too. Devices marked missing or removed are listed with these flags.
-- counts: devices
-- param: or_inactive bool = false | Whether devices of people who are inactive, not archived, are listed too.
-- column: user_archived | Whether the person is archived.
-- column: user_active | Whether the person is active.
SELECT
    d.device_id,
    d.device_name,
    d.serial_number,
    d.platform,
    d.model,
    coalesce(u.archived, d.user_is_archived) AS user_archived,
    u.active AS user_active,
    d.user_id,
    d.user_name,
    d.user_email,
    d.blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM devices AS d
LEFT JOIN users AS u ON u.id = d.user_id
WHERE coalesce(u.archived, d.user_is_archived) OR ($or_inactive AND NOT u.active)
ORDER BY d.user_name, d.user_email, d.device_name, d.device_id;
