-- title: Devices by carrier
-- description: How many devices have a contract with each carrier, in either slot; a device with two counts for both.
--   roaming is how many are roaming now, data_roaming_on how many may use data then. Devices that have a modem and no
--   carrier are (none). Devices marked missing or removed are counted, and shown beside. devices_with_carrier tells
--   the devices.
-- counts: devices
-- chart: bar x=carrier y=devices unit=devices
-- says: {sum devices|device|devices} by carrier, one with two counted for both; most are with {top carrier by devices}.
-- column: carrier | Carrier of the contract, or (none).
-- column: roaming | How many are roaming.
-- column: data_roaming_on | On how many data roaming is allowed.
WITH lines AS (
    SELECT device_id, subscriber_carrier_network_slot_1 AS carrier, is_roaming_slot_1 AS roaming, data_roaming_enabled
    FROM prism_cellular
    UNION ALL
    SELECT device_id, subscriber_carrier_network_slot_2, is_roaming_slot_2, data_roaming_enabled
    FROM prism_cellular
    WHERE nullif(trim(subscriber_carrier_network_slot_2), '') IS NOT NULL
)
SELECT
    coalesce(nullif(trim(l.carrier), ''), '(none)') AS carrier,
    count(DISTINCT l.device_id) AS devices,
    count(DISTINCT l.device_id) FILTER (l.roaming) AS roaming,
    count(DISTINCT l.device_id) FILTER (l.data_roaming_enabled) AS data_roaming_on,
    count(DISTINCT l.device_id) FILTER (d.is_missing) AS missing,
    count(DISTINCT l.device_id) FILTER (d.is_removed) AS removed
FROM lines AS l
LEFT JOIN devices AS d USING (device_id)
GROUP BY ALL
ORDER BY devices DESC, carrier;
