-- title: Malware and unwanted programs
-- description: The newest first.
-- usual: yes
-- most: 5
-- column: detection_date | Found
-- column: status | State
-- column: threat_name | Name
SELECT detection_date, threat_name, classification, status
FROM threats
WHERE device_id = $device_id
ORDER BY detection_date DESC NULLS LAST, threat_name;
