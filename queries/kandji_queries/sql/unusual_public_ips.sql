-- title: Devices at an unusual public IP address
-- description: Devices whose address seen from the internet fewer than some devices of their blueprint have, and no other
--   device of their person. No addresses of the past are kept: what is usual is what the others have now, so where people
--   work at home everyone may be listed. The address is in the details, one request a device, as of when they were read;
--   the provider gives it for Macs and often leaves it empty. Devices without one, or alone with one in their
--   blueprint, are not listed: nothing is known of what is usual. Devices marked missing or removed are
--   listed with these flags.
-- for: pictures
-- counts: devices
-- param: fewer_than int = 2 [1, 1000000] | Devices of its blueprint at that address, itself included, below which it is
--   unusual.
-- param: blueprint text optional | Name or identifier of a blueprint, such as Engineering.
-- without: FROM device_details WHERE public_ip IS NOT NULL | The provider gives no public IP address of any device whose
--   details were read, so nothing is known of unusual ones.
-- nearest: fewer_than=1000000 in_blueprint
-- column: in_blueprint | Devices of its blueprint at that address, itself included.
-- column: blueprint_known | Devices of its blueprint of which an address is known.
-- column: in_fleet | Devices of all blueprints at that address.
-- column: usual_ip | The address that most devices of its blueprint have; empty where no two have one.
WITH placed AS (
    SELECT d.*, trim(x.public_ip) AS public_ip, coalesce(d.user_id, d.user_email) AS person
    FROM devices AS d
    JOIN device_details AS x USING (device_id)
    WHERE trim(x.public_ip) <> ''
),
counted AS (
    SELECT
        *,
        count(*) OVER (PARTITION BY blueprint_id, blueprint_name, public_ip) AS in_blueprint,
        count(*) OVER (PARTITION BY blueprint_id, blueprint_name) AS blueprint_known,
        count(*) OVER (PARTITION BY public_ip) AS in_fleet,
        count(*) OVER (PARTITION BY person, public_ip) AS of_person
    FROM placed
),
judged AS (
    SELECT
        *,
        first_value(CASE WHEN in_blueprint > 1 THEN public_ip END) OVER (
            PARTITION BY blueprint_id, blueprint_name ORDER BY in_blueprint DESC, public_ip
        ) AS most_have
    FROM counted
)
SELECT
    d.device_id,
    d.device_name,
    d.serial_number,
    d.platform,
    d.public_ip,
    d.in_blueprint,
    d.blueprint_known,
    d.in_fleet,
    d.most_have AS usual_ip,
    d.user_name,
    d.user_email,
    d.blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM judged AS d
WHERE
    d.in_blueprint < $fewer_than
    AND d.blueprint_known > 1
    AND (d.person IS NULL OR d.of_person = 1)
    AND ($blueprint IS NULL OR folded(d.blueprint_name) = folded($blueprint) OR d.blueprint_id = $blueprint)
ORDER BY d.in_fleet, d.in_blueprint, d.blueprint_name, d.device_name, d.device_id;
