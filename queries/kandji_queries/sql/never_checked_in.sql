-- title: Devices that never checked in
-- description: Devices of which no check-in is known at all, those enrolled longest ago first. Devices marked missing or
--   removed are listed with these flags. stale_devices has those that did check in, but long ago.
-- counts: devices
-- column: days_since_enrolment | Days since the first enrolment.
SELECT
    d.device_id,
    d.device_name,
    d.serial_number,
    d.platform,
    d.model,
    d.os_version,
    d.first_enrollment,
    date_diff('day', d.first_enrollment, (now() AT TIME ZONE 'UTC')) AS days_since_enrolment,
    d.mdm_enabled,
    d.agent_installed,
    d.user_name,
    d.user_email,
    d.blueprint_name,
    d.is_missing,
    d.is_removed
FROM devices AS d
WHERE d.last_check_in IS NULL
ORDER BY d.first_enrollment NULLS LAST, d.device_name, d.device_id;
