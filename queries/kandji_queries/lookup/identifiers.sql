-- title: Devices with a number
-- description: Devices by numbers other than those of the device list, compared without marks and blanks: UDID, IMEI,
--   MEID, EID, number of the SIM, MAC address, phone number, addresses and names in the network. A phone number fits by
--   its last digits too.
WITH numbers AS (
    SELECT device_id, 'UDID' AS what, udid AS number FROM device_details
    UNION ALL
    SELECT device_id, 'MAC address', mac_address FROM device_details
    UNION ALL
    SELECT device_id, 'IP address', ip_address FROM device_details
    UNION ALL
    SELECT device_id, 'public IP address', public_ip FROM device_details
    UNION ALL
    SELECT device_id, 'host name', local_hostname FROM device_details
    UNION ALL
    SELECT device_id, 'host name', host_name FROM prism_device_information
    UNION ALL
    SELECT
        device_id,
        unnest(['IMEI', 'IMEI', 'MEID', 'EID', 'EID', 'SIM', 'SIM', 'phone number', 'phone number']),
        unnest(
            [
                imei_slot_1, imei_slot_2, meid, eid_slot_1, eid_slot_2,
                iccid_slot_1, iccid_slot_2, phone_number_slot_1, phone_number_slot_2
            ]
        )
    FROM prism_cellular
),
plain AS (
    SELECT device_id, what, regexp_replace(lower(number), '[^a-z0-9]', '', 'g') AS number FROM numbers
),
meant AS (
    SELECT device_id, min(what) AS what
    FROM plain
    WHERE
        number = $number
        OR what = 'phone number' AND length($digits) > 6 AND ends_with(number, $digits)
        OR what LIKE 'IMEI' AND length($number) = 14 AND starts_with(number, $number)
    GROUP BY device_id
)
SELECT
    m.what AS match,
    device_id, d.device_name, d.serial_number, d.asset_tag, d.platform, d.model,
    d.user_name, d.user_email, d.blueprint_name, d.last_check_in, d.is_missing, d.is_removed
FROM meant AS m
JOIN devices AS d USING (device_id)
ORDER BY d.last_check_in DESC NULLS LAST, d.device_name, device_id;
