-- title: Macs with the firewall or Gatekeeper off
-- description: Macs whose application firewall or Gatekeeper is off, then Macs of which either is not known (it is
--   empty) and neither known to be off. The times tell when the Mac reported each.
-- counts: devices
-- tells: known_to_be_off, firewall_on, gatekeeper_on
-- param: with_unknown bool = true | Whether Macs of unknown state are listed too.
-- column: gatekeeper_on | Whether Gatekeeper is on; empty where it is not known.
-- column: known_to_be_off | Whether one of the two is known to be off.
-- column: firewall_collected_at | When the Mac reported its firewall, UTC.
-- column: gatekeeper_collected_at | When the Mac reported Gatekeeper, UTC.
SELECT
    d.device_id,
    d.device_name,
    d.serial_number,
    d.os_version,
    w.status AS firewall_on,
    g.gatekeeper_status AS gatekeeper_on,
    coalesce(NOT w.status, false) OR coalesce(NOT g.gatekeeper_status, false) AS known_to_be_off,
    w.last_collected_at AS firewall_collected_at,
    g.last_collected_at AS gatekeeper_collected_at,
    d.user_name,
    d.user_email,
    d.blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM devices AS d
LEFT JOIN prism_application_firewall AS w USING (device_id)
LEFT JOIN prism_gatekeeper_and_xprotect AS g USING (device_id)
WHERE d.platform = 'Mac' AND NOT coalesce(w.status AND g.gatekeeper_status, NOT $with_unknown)
ORDER BY known_to_be_off DESC, d.device_name, d.device_id;
