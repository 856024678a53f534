-- title: The device
-- description: Who and what it is.
-- usual: yes
-- one: yes
SELECT
    f.device_id,
    f.device_name,
    f.serial_number,
    f.asset_tag,
    f.platform,
    f.model,
    f.os_version,
    f.user_name,
    f.user_email,
    u.department AS user_department,
    u.job_title AS user_job_title,
    coalesce(u.archived, d.user_is_archived) AS user_archived,
    f.blueprint_name,
    f.tags,
    f.last_check_in,
    f.first_enrollment,
    f.agent_version,
    f.is_missing,
    f.is_removed,
    f.lost_mode_status
FROM fleet AS f
JOIN devices AS d USING (device_id)
LEFT JOIN users AS u ON u.id = f.user_id
WHERE f.device_id = $device_id;
