-- title: Who has it
-- description: The assigned person, and the local account that was logged in last.
-- usual: yes
-- one: yes
-- column: user_name | Name
-- column: user_email | E-mail
-- column: department | Department
-- column: job_title | Job title
-- column: archived | Archived | yes/no
-- column: devices | Devices in all
-- column: last_user | Last account | | Mac
SELECT
    d.user_name,
    d.user_email,
    u.department,
    u.job_title,
    coalesce(u.archived, d.user_is_archived) AS archived,
    CASE WHEN d.user_id IS NOT NULL THEN (SELECT count(*) FROM devices AS o WHERE o.user_id = d.user_id) END AS devices,
    x.last_user
FROM devices AS d
LEFT JOIN users AS u ON u.id = d.user_id
LEFT JOIN device_details AS x USING (device_id)
WHERE d.device_id = $device_id;
