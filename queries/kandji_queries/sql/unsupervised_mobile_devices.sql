-- title: Unsupervised iPhones and iPads
-- description: iPhones and iPads that are not supervised, then those of which it is not known (supervised is empty).
--   Only the details of a device tell; they take one request a device, `kandji-mirror sync device_details` reads them.
-- counts: devices
-- tells: supervised
SELECT
    d.device_id,
    d.device_name,
    d.serial_number,
    d.platform,
    d.model,
    d.os_version,
    coalesce(x.supervised, d.is_supervised) AS supervised,
    d.user_name,
    d.user_email,
    d.blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM devices AS d
LEFT JOIN device_details AS x USING (device_id)
WHERE d.platform IN ('iPhone', 'iPad') AND coalesce(x.supervised, d.is_supervised) IS DISTINCT FROM true
ORDER BY supervised NULLS LAST, d.device_name, d.device_id;
