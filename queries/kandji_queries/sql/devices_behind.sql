-- title: Devices behind on updates
-- description: Macs, iPhones and iPads that have been behind on updates of their system for more than some days, the
--   longest first: since the first release came out that their model can run and that they lack, of any major version or
--   of their own alone. Those of which it is not known are not listed; patch_report counts them. Devices marked missing
--   or removed are listed with these flags.
-- counts: devices
-- for: pictures
-- tells: currency
-- param: days int = 30 [0, 3650] | Days behind.
-- param: own_major bool = false | Whether only releases of the major version that a device runs count.
-- param: platform enum(any, Mac, iPhone, iPad) = any | Which devices.
-- nearest: days=0 days_behind
-- says: {count|device|devices} behind for more than {$days} days; the longest {max days_behind} days.
SELECT
    device_id,
    device_name,
    serial_number,
    platform,
    model_identifier,
    os_version,
    version_extra,
    currency,
    newest_version,
    newest_of_major,
    versions_behind,
    days_behind,
    days_behind_in_major,
    fixes_lacked,
    exploited_lacked,
    major_gets_fixes,
    blueprint_name,
    last_check_in,
    is_missing,
    is_removed
FROM os_currency
WHERE
    CASE WHEN $own_major THEN days_behind_in_major ELSE days_behind END > $days
    AND ($platform = 'any' OR platform = $platform)
ORDER BY
    CASE WHEN $own_major THEN days_behind_in_major ELSE days_behind END DESC,
    exploited_lacked DESC,
    device_name,
    device_id;
