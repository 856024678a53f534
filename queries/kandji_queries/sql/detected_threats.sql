-- title: Malware and unwanted programs found
-- description: Every detection of malware (MALWARE) or unwanted programs (PUP) of the last days, those that are not
--   quarantined first, then the newest; detections without a date are included. Empty also where this is not licensed
--   or not read, of which notes tell. Devices marked missing or removed are listed with these flags.
-- counts: devices
-- tells: status
-- param: days int = 30 [1, 3650] | Days back.
-- param: classification enum(any, MALWARE, PUP) = any | Which kind.
-- beyond: days=3650 detection_date
SELECT
    t.detection_date,
    t.threat_name,
    t.classification,
    t.status,
    t.device_id,
    coalesce(d.device_name, t.device_name) AS device_name,
    coalesce(d.serial_number, t.device_serial_number) AS serial_number,
    t.file_path,
    t.file_hash,
    t.process_name,
    t.process_owner,
    t.date_of_quarantine,
    t.date_of_release,
    t.released_by,
    d.user_name,
    d.user_email,
    coalesce(d.blueprint_name, t.blueprint_name) AS blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM threats AS t
LEFT JOIN devices AS d USING (device_id)
WHERE
    coalesce(t.detection_date >= (now() AT TIME ZONE 'UTC') - to_days($days::INTEGER), true)
    AND ($classification = 'any' OR upper(t.classification) = $classification)
ORDER BY
    coalesce(t.status = 'QUARANTINED', false),
    t.detection_date DESC NULLS LAST,
    t.device_id,
    t.file_path,
    t.file_hash;
