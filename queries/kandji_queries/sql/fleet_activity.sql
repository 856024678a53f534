-- title: What happened across the fleet
-- description: The activity of all devices since a moment, newest first: enrollments, renaming, MDM commands that were
--   completed or failed, and so on. Activity is read device by device out of the budget that is left, so that what
--   happened on a device since it was last read is not in it; freshness tells how old the oldest reading is.
-- param: hours int = 24 [1, 87600] | Hours back.
-- param: since date optional | The first day, UTC, instead of the hours.
-- param: action text optional | Only what the provider calls so, such as enrollment.
-- beyond: hours=87600 created_at
-- column: command_type | Type of the MDM command, where it is about one.
SELECT
    a.created_at,
    a.action_type,
    a.details ->> '$.command_type' AS command_type,
    a.device_id,
    d.device_name,
    d.serial_number,
    d.platform,
    a.user_name,
    a.user_email,
    a.blueprint_name,
    a.details,
    a.id
FROM device_activity AS a
LEFT JOIN devices AS d USING (device_id)
WHERE
    a.created_at >= coalesce($since::TIMESTAMP, (now() AT TIME ZONE 'UTC') - to_hours($hours::INTEGER))
    AND ($action IS NULL OR lower(a.action_type) = lower(trim($action)))
ORDER BY a.created_at DESC, d.device_name, a.device_id, a.id DESC;
