-- title: One device with its state
-- description: A device with its person, blueprint, contact and security state: found by identifier, serial number,
--   asset tag or whole name in any letter case; only where there is none, by a part of its name, and then by its
--   person. Of several all are listed, the one that checked in last first: device_id tells them apart, where a
--   re-enrolled device is listed twice also those of one serial number. What is empty is not known.
-- param: device text | Identifier, serial number, asset tag, name, or part of a name, such as John's MacBook.
WITH meant AS (
    FROM (SELECT d.*, device_match($device, d) AS match FROM devices AS d)
    QUALIFY match = min(match) OVER ()
)
SELECT f.*
FROM fleet AS f
SEMI JOIN meant USING (device_id)
ORDER BY f.last_check_in DESC NULLS LAST, f.device_name, f.device_id;
