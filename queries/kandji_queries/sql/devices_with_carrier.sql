-- title: Devices of a carrier
-- description: Devices with a modem, their carriers, networks, phone and equipment numbers; optionally those of one
--   carrier only, by a part of its name in any letter case. Blanks in equipment numbers are as the provider sends them.
--   Devices marked missing or removed are listed with these flags.
-- counts: devices
-- param: carrier text optional | Part of the carrier's name.
-- column: carrier | Carrier of the contract in slot 1.
-- column: carrier_2 | Carrier of the contract in slot 2.
SELECT
    c.device_id,
    d.device_name,
    coalesce(d.serial_number, c.serial_number) AS serial_number,
    d.platform,
    c.subscriber_carrier_network_slot_1 AS carrier,
    c.subscriber_carrier_network_slot_2 AS carrier_2,
    c.current_carrier_network_slot_1,
    c.is_roaming_slot_1,
    c.data_roaming_enabled,
    c.phone_number_slot_1,
    c.imei_slot_1,
    c.imei_slot_2,
    d.user_name,
    d.user_email,
    d.blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM prism_cellular AS c
LEFT JOIN devices AS d USING (device_id)
WHERE
    $carrier IS NULL
    OR contains(folded(c.subscriber_carrier_network_slot_1), folded($carrier))
    OR contains(folded(c.subscriber_carrier_network_slot_2), folded($carrier))
ORDER BY carrier, carrier_2, d.device_name, c.device_id;
