-- title: Suspicious behaviour found
-- description: Detections of malicious or suspicious behaviour, all or those of the last days, with those that were not
--   blocked first, then the newest; detections without a date are included. What was run, by whom and from what is told.
--   Empty also where this is not licensed or not read, of which notes tell. Devices marked missing or removed are listed
--   with these flags.
-- counts: devices
-- tells: classification, threat_status
-- beyond: days=3650 detection_date
-- param: days int = 3650 [1, 3650] | Days back.
-- param: classification enum(any, malicious, suspicious) = any | Which kind.
-- column: detection_id | Identifier of the detection.
SELECT
    b.detection_date,
    b.classification,
    b.threat_status,
    b.threat_id,
    b.description,
    b.malware_family,
    b.device_id,
    coalesce(d.device_name, b.device_name) AS device_name,
    coalesce(d.serial_number, b.device_serial_number) AS serial_number,
    b.target_process_name,
    b.target_process_command_line,
    b.target_process_owner,
    b.parent_process_name,
    d.user_name,
    d.user_email,
    coalesce(d.blueprint_name, b.blueprint_name) AS blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed,
    b.id AS detection_id
FROM behavioral_detections AS b
LEFT JOIN devices AS d USING (device_id)
WHERE
    coalesce(b.detection_date >= (now() AT TIME ZONE 'UTC') - to_days($days::INTEGER), true)
    AND ($classification = 'any' OR lower(b.classification) = $classification)
ORDER BY
    coalesce(lower(b.threat_status) = 'blocked', false),
    b.detection_date DESC NULLS LAST,
    b.device_id,
    b.id;
