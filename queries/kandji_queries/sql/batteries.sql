-- title: Batteries that need attention
-- description: Devices whose battery needs service or a replacement: is reported as anything but normal; or with a health
--   that is asked for, those, with health=unknown the laptops that report none. with_others=false lists laptops only,
--   no phones and tablets. Of charge cycles and capacity the provider says nothing; devices without a battery, or that
--   did not report, are not listed. Whether a Windows computer is a laptop its records do not say: it counts as none.
--   Devices marked missing or removed are listed with these flags.
-- counts: devices
-- tells: battery_health = not reported
-- param: health text optional | Only batteries of this health, such as Normal or Service; unknown where none is reported.
-- param: with_others bool = true | Whether devices that are no laptops are listed too.
-- without: FROM prism_device_information WHERE battery_health IS NOT NULL | No device reports the health of its battery,
--   so that nothing is known of any.
-- column: is_laptop | Whether it is a laptop, of Macs by the name of the model; a desktop that reports a battery is none.
WITH known AS (
    SELECT
        d.*,
        i.battery_health,
        i.last_collected_at,
        d.platform = 'Mac' AND coalesce(i.model_name, d.model, x.model_name) ILIKE 'MacBook%' AS is_laptop
    FROM devices AS d
    LEFT JOIN prism_device_information AS i USING (device_id)
    LEFT JOIN device_details AS x USING (device_id)
)
SELECT
    d.battery_health,
    d.device_id,
    d.device_name,
    d.serial_number,
    d.platform,
    d.model,
    d.last_collected_at,
    d.is_laptop,
    d.first_enrollment,
    d.user_name,
    d.user_email,
    d.blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM known AS d
WHERE
    (d.is_laptop OR $with_others)
    AND CASE
        WHEN $health IS NULL THEN folded(d.battery_health) NOT IN ('', 'normal', 'good', 'none', 'n/a')
        WHEN folded($health) = 'unknown' AND d.is_laptop THEN
            coalesce(folded(d.battery_health), '') IN ('', 'none', 'n/a', 'unknown')
        ELSE folded(d.battery_health) = folded($health)
    END
ORDER BY d.battery_health, d.device_name, d.device_id;
