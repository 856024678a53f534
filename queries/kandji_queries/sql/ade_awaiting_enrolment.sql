-- title: Devices Apple assigned that are not enrolled
-- description: Devices of Automated Device Enrollment that await enrolment, longest assigned first. listed_device_id
--   is filled where a device of that serial number is in the device list nevertheless: enrolled in another way, or not
--   yet seen by the enrolment list.
-- column: days_since_assigned | Days since it was assigned.
-- column: token | Name of the enrolment token.
-- column: listed_device_id | The device of that serial number in the device list, if there is one.
-- column: ade_device_id | Identifier in the enrolment list.
SELECT
    a.serial_number,
    a.device_family,
    a.model,
    a.description,
    a.asset_tag,
    a.profile_status,
    a.device_assigned_date,
    date_diff('day', a.device_assigned_date, (now() AT TIME ZONE 'UTC')) AS days_since_assigned,
    a.last_assignment_status,
    b.name AS blueprint,
    u.email AS user_email,
    a.dep_account_server_name AS token,
    d.device_id AS listed_device_id,
    a.id AS ade_device_id
FROM ade_devices AS a
LEFT JOIN blueprints AS b ON b.id = a.blueprint_id
LEFT JOIN users AS u ON u.id = a.user_id
LEFT JOIN devices AS d ON lower(d.serial_number) = lower(a.serial_number)
WHERE a.device_id IS NULL
ORDER BY a.device_assigned_date NULLS LAST, a.serial_number, a.id, d.device_id;
