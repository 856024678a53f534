-- title: Devices with Activation Lock
-- description: Apple devices whose Activation Lock is on, and whose it is: a person's own (user), the organisation's
--   (device), or both. Where Prism does not say, the device's details do if they were read; source tells which.
--   Devices of which it is not known are left out unless asked for; lock_on is empty for them.
-- counts: devices
-- tells: lock_kind
-- param: with_unknown bool = false | Whether devices of unknown state are listed too.
-- column: lock_on | Whether Activation Lock is on; empty where it is not known.
-- column: lock_kind | Whose lock it is: user, device, or both.
-- column: source | Which facts say so: prism or details.
WITH known AS (
    SELECT
        d.*,
        coalesce(l.device_activation_lock_enabled, x.device_activation_lock_enabled) AS by_device,
        coalesce(l.user_activation_lock_enabled, x.user_activation_lock_enabled) AS by_user,
        CASE
            WHEN coalesce(l.device_activation_lock_enabled, l.user_activation_lock_enabled) IS NOT NULL THEN 'prism'
            WHEN coalesce(x.device_activation_lock_enabled, x.user_activation_lock_enabled) IS NOT NULL THEN 'details'
        END AS source,
        l.last_collected_at
    FROM devices AS d
    LEFT JOIN prism_activation_lock AS l USING (device_id)
    LEFT JOIN device_details AS x USING (device_id)
    WHERE d.platform IN ('Mac', 'iPhone', 'iPad', 'AppleTV', 'Vision')
)
SELECT
    d.device_id,
    d.device_name,
    d.serial_number,
    d.platform,
    d.by_user OR d.by_device AS lock_on,
    CASE
        WHEN d.by_user AND d.by_device THEN 'user and device'
        WHEN d.by_user THEN 'user'
        WHEN d.by_device THEN 'device'
    END AS lock_kind,
    d.source,
    d.last_collected_at,
    d.user_name,
    d.user_email,
    d.blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM known AS d
WHERE coalesce(d.by_user OR d.by_device, $with_unknown)
ORDER BY lock_on NULLS LAST, lock_kind DESC, d.device_name, d.device_id;
