-- title: People without a device
-- description: People of the directory to whom no device of the device list is assigned, by the person's identifier. A
--   device that is removed or missing is one nevertheless; with_removed=false lists also those who have none but
--   removed ones, of which removed_devices is the number. Archived and inactive people are listed with these flags.
--   provider_count is how many devices the provider says that a person has, and should be 0.
-- counts: devices and people
-- column: removed_devices | Number of removed devices of the person.
SELECT
    u.id AS user_id,
    u.name AS user_name,
    u.email AS user_email,
    u.department,
    u.active,
    u.archived,
    (SELECT count(*) FROM main.devices AS r WHERE r.user_id = u.id AND r.is_removed) AS removed_devices,
    u.device_count AS provider_count,
    u.integration_name,
    u.created_at
FROM users AS u
WHERE NOT EXISTS (FROM devices AS d WHERE d.user_id = u.id)
ORDER BY u.name, u.email, u.id;
