-- title: Malware and unwanted programs
-- description: The newest first.
-- usual: yes
-- most: 5
SELECT detection_date, threat_name, classification, status
FROM threats
WHERE device_id = $device_id
ORDER BY detection_date DESC NULLS LAST, threat_name;
