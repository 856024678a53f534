-- title: People without a device
-- description: People of the directory to whom no device of the device list is assigned; removed devices do not count.
--   provider_count is what the provider says, and should be 0. Archived people are left out unless asked for.
-- param: with_archived bool = false | Whether archived people are listed too.
SELECT
    u.id AS user_id,
    u.name AS user_name,
    u.email AS user_email,
    u.department,
    u.active,
    u.archived,
    u.device_count AS provider_count,
    u.integration_name,
    u.created_at
FROM users AS u
WHERE
    ($with_archived OR NOT coalesce(u.archived, false))
    AND NOT EXISTS (FROM devices AS d WHERE d.user_id = u.id AND NOT coalesce(d.is_removed, false))
ORDER BY u.name, u.email, u.id;
