-- title: Locks
-- description: What keeps somebody out; what is absent is not known. The provider does not tell whether a device that
--   was locked from afar was unlocked since.
-- usual: yes
-- one: yes
-- column: activation_lock_device | Activation Lock, device | on/off | Mac, iPhone, iPad, Vision
-- column: activation_lock_user | Activation Lock, person | on/off | Mac, iPhone, iPad, Vision
-- column: recovery_lock | Recovery lock | on/off | Mac
-- column: firmware_password | Firmware password | | Mac
-- column: lost_mode | Lost mode | | iPhone, iPad
-- column: lost_mode_since? | Lost mode since | | iPhone, iPad
-- column: remote_lock | Remote lock | | Mac, iPhone, iPad, Vision
-- column: erase | Erase command | | Mac, iPhone, iPad, Vision, AppleTV
WITH sent AS (
    SELECT
        count(*) AS commands,
        arg_max(c, date_requested) FILTER (WHERE command_type = 'DeviceLock' OR request_type = 'DeviceLock') AS locked,
        arg_max(c, date_requested) FILTER (WHERE command_type = 'EraseDevice' OR request_type = 'EraseDevice') AS erased
    FROM device_commands AS c
    WHERE device_id = $device_id
)
SELECT
    coalesce(l.device_activation_lock_enabled, x.device_activation_lock_enabled) AS activation_lock_device,
    coalesce(l.user_activation_lock_enabled, x.user_activation_lock_enabled) AS activation_lock_user,
    x.recovery_lock_enabled AS recovery_lock,
    CASE
        WHEN x.firmware_password_pending THEN 'waits for a restart'
        WHEN x.firmware_password_exist THEN 'set'
        WHEN NOT x.firmware_password_exist THEN 'none'
    END AS firmware_password,
    CASE
        WHEN upper(coalesce(m.lost_mode_status, d.lost_mode_status, x.lost_mode_status)) = 'ENABLED' THEN 'on'
        WHEN d.platform IN ('iPhone', 'iPad') THEN 'off'
    END AS lost_mode,
    m.enable_status_at AS lost_mode_since,
    CASE
        WHEN s.locked IS NULL THEN CASE WHEN s.commands > 0 THEN 'no lock command known' END
        WHEN s.locked.status = 3 AND d.last_check_in > s.locked.date_completed + INTERVAL 15 MINUTE
            THEN concat('locked at ', strftime(s.locked.date_completed, '%Y-%m-%d %H:%M'), ' UTC, in contact since')
        WHEN s.locked.status = 3
            THEN concat('locked at ', strftime(s.locked.date_completed, '%Y-%m-%d %H:%M'), ' UTC')
        WHEN s.locked.status = 4
            THEN concat('failed, ordered at ', strftime(s.locked.date_requested, '%Y-%m-%d %H:%M'), ' UTC')
        ELSE concat(s.locked.status_name, ', ordered at ', strftime(s.locked.date_requested, '%Y-%m-%d %H:%M'), ' UTC')
    END AS remote_lock,
    CASE
        WHEN s.erased IS NULL THEN CASE WHEN s.commands > 0 THEN 'no erase command known' END
        ELSE concat(s.erased.status_name, ', ordered at ', strftime(s.erased.date_requested, '%Y-%m-%d %H:%M'), ' UTC')
    END AS erase
FROM devices AS d
LEFT JOIN prism_activation_lock AS l USING (device_id)
LEFT JOIN device_details AS x USING (device_id)
LEFT JOIN lost_mode AS m USING (device_id)
CROSS JOIN sent AS s
WHERE d.device_id = $device_id;
