-- title: Secrets, as far as the mirror knows
-- description: Whether there is one as far as the mirror knows, and the action that reads it; never its value.
-- usual: yes
-- most: 4
-- column: action | Secret | | Mac, iPhone, iPad, Vision
-- column: there | There | | Mac, iPhone, iPad, Vision
-- column: because | Because | | Mac, iPhone, iPad, Vision
WITH known AS (
    SELECT
        d.platform,
        f.key_escrowed,
        x.filevault_prk_escrowed,
        x.recovery_lock_enabled OR x.firmware_password_exist AS locked,
        x.password_has_been_set,
        coalesce(l.bypass_code_failed, x.bypass_code_failed) AS bypass_failed,
        coalesce(l.device_activation_lock_enabled, x.device_activation_lock_enabled) AS device_lock,
        (SELECT count(*) FROM device_commands AS c WHERE c.device_id = d.device_id) AS commands,
        (
            SELECT max(c.date_requested) FROM device_commands AS c
            WHERE c.device_id = d.device_id AND 'DeviceLock' IN (c.command_type, c.request_type) AND c.status <> 4
        ) AS locked_at,
        (
            SELECT max(c.date_completed) FROM device_commands AS c
            WHERE c.device_id = d.device_id AND c.command_type = 'ActivationLockBypassCode' AND c.status = 3
        ) AS code_fetched_at
    FROM devices AS d
    LEFT JOIN prism_filevault AS f USING (device_id)
    LEFT JOIN prism_activation_lock AS l USING (device_id)
    LEFT JOIN device_details AS x USING (device_id)
    WHERE d.device_id = $device_id
)
SELECT
    'FileVault key' AS secret,
    CASE WHEN coalesce(key_escrowed, filevault_prk_escrowed) THEN 'yes' WHEN NOT coalesce(key_escrowed, filevault_prk_escrowed) THEN 'no' ELSE 'not known' END AS there,
    CASE WHEN key_escrowed IS NOT NULL THEN 'Prism says so' WHEN filevault_prk_escrowed IS NOT NULL THEN 'its details say so' ELSE 'not reported' END AS because,
    'filevaultkey' AS action
FROM known
WHERE platform = 'Mac'
UNION ALL
SELECT
    'Recovery lock password',
    CASE WHEN password_has_been_set AND locked IS NOT false THEN 'yes' WHEN NOT password_has_been_set OR NOT locked THEN 'no' ELSE 'not known' END,
    CASE
        WHEN locked IS NULL AND password_has_been_set IS NULL THEN 'its details were not read'
        WHEN NOT locked THEN 'neither recovery lock nor firmware password is set'
        WHEN password_has_been_set THEN 'its password was set and is escrowed'
        WHEN NOT password_has_been_set THEN 'a lock is set, its password is not escrowed'
        ELSE 'not reported'
    END,
    'recoverypassword'
FROM known
WHERE platform = 'Mac'
UNION ALL
SELECT
    'Unlock PIN',
    CASE WHEN locked_at IS NOT NULL THEN 'yes' WHEN commands > 0 THEN 'no' ELSE 'not known' END,
    CASE
        WHEN locked_at IS NOT NULL THEN concat('locked from afar at ', strftime(locked_at, '%Y-%m-%d %H:%M'), ' UTC')
        WHEN commands > 0 THEN 'it was never locked from afar'
        ELSE 'its commands were not read'
    END,
    'unlockpin'
FROM known
WHERE platform = 'Mac'
UNION ALL
SELECT
    'Activation Lock bypass code',
    CASE WHEN bypass_failed THEN 'no' WHEN device_lock OR code_fetched_at IS NOT NULL THEN 'yes' ELSE 'not known' END,
    CASE
        WHEN bypass_failed THEN 'its escrow failed'
        WHEN code_fetched_at IS NOT NULL THEN concat('fetched from the device at ', strftime(code_fetched_at, '%Y-%m-%d %H:%M'), ' UTC')
        WHEN device_lock THEN 'the device-based lock is on'
        ELSE 'not reported'
    END,
    'bypasscode'
FROM known
WHERE platform IN ('Mac', 'iPhone', 'iPad', 'Vision');
