-- title: The fleet, one wide row a device
-- key: device_id
-- description: One row per device of the device list with what most questions need: identity, person, blueprint, contact,
--   hardware, disk, and the security posture as Prism reports it. What is NULL is not known: the platform has none, the
--   device has not reported it, or its details were not read yet. Devices marked missing or removed are included; see
--   is_missing and is_removed.
-- column: hours_since_check_in | Hours since last_check_in at the moment of the query.
-- column: model_name | Model as marketed, from Prism.
-- column: is_laptop | Whether it is a laptop: of Macs by the name of the model, phones and tablets are none; NULL for
--   Windows, whose records do not say.
-- column: disk_total_bytes | Size of the disk in bytes, from the details; to the GB, from Prism, where they were not
--   read.
-- column: department | Department of the assigned person.
-- column: job_title | Job title of the assigned person.
-- column: os_marketing_name | Name of the operating system, such as Sonoma.
-- column: filevault_on | Whether FileVault is on.
-- column: filevault_key_escrowed | Whether the FileVault recovery key is escrowed.
-- column: filevault_key_type | Kind of FileVault recovery key.
-- column: firewall_on | Whether the application firewall is on.
-- column: firewall_stealth_mode | Whether the firewall's stealth mode is on.
-- column: gatekeeper_on | Whether Gatekeeper is on.
-- column: xprotect_version | Version of XProtect.
-- column: sip_on | Whether System Integrity Protection is on.
-- column: secure_boot_level | Level of secure boot.
-- column: bootstrap_token_escrowed | Whether the bootstrap token is escrowed.
-- column: activation_lock_on | Whether Activation Lock is on, device-based or a person's own.
-- column: activation_lock_by_user | Whether it is a person's own Activation Lock.
-- column: activation_lock_by_device | Whether it is the device-based Activation Lock; both can be on.
-- column: app_count | Apps found on the device, helpers inside of bundles and copies counted each; NULL where none are
--   known.
-- column: failed_items | Library items that failed and are not mended, status ERROR or FAILED; NULL where its items were
--   not read.
-- column: posture_collected_at | When the device last reported its FileVault state: the age of the security facts.
-- ask: How many Macs have FileVault on | SELECT filevault_on, count(*) AS macs FROM fleet WHERE platform = 'Mac'
--   GROUP BY ALL
-- ask: A person's devices | SELECT device_name, serial_number, model_name, os_version, last_check_in FROM fleet WHERE
--   user_email = 'ada@example.com'
-- ask: Devices of each blueprint that have not checked in for a week | SELECT blueprint_name, count(*) AS devices
--   FROM fleet WHERE hours_since_check_in > 168 GROUP BY ALL ORDER BY devices DESC
SELECT
    d.device_id,
    d.device_name,
    d.serial_number,
    d.platform,
    d.model,
    i.model_name,
    i.apple_silicon,
    i.device_capacity,
    i.battery_health,
    CASE
        WHEN d.platform = 'Mac' THEN coalesce(i.model_name, d.model, x.model_name) ILIKE 'MacBook%'
        WHEN d.platform <> 'Windows' THEN false
    END AS is_laptop,
    x.processor,
    x.memory_bytes,
    -- Prism says it of more devices, in whole GB as on the box
    coalesce(x.disk_total_bytes, try_cast(i.device_capacity * 1e9 AS BIGINT)) AS disk_total_bytes,
    x.disk_free_bytes,
    x.disk_free_percent,
    x.uptime_days,
    d.os_version,
    i.marketing_name AS os_marketing_name,
    d.user_id,
    d.user_name,
    d.user_email,
    d.user_is_archived,
    u.department,
    u.job_title,
    x.last_user,
    d.asset_tag,
    d.tags,
    d.blueprint_id,
    d.blueprint_name,
    d.last_check_in,
    epoch((now() AT TIME ZONE 'UTC') - d.last_check_in) / 3600 AS hours_since_check_in,
    d.first_enrollment,
    d.last_enrollment,
    d.mdm_enabled,
    x.supervised,
    d.agent_installed,
    d.agent_version,
    d.is_missing,
    d.is_removed,
    d.lost_mode_status,
    f.status AS filevault_on,
    f.key_escrowed AS filevault_key_escrowed,
    f.key_type AS filevault_key_type,
    w.status AS firewall_on,
    w.stealth_mode AS firewall_stealth_mode,
    g.gatekeeper_status AS gatekeeper_on,
    g.xprotect_version,
    s.sip AS sip_on,
    s.secure_boot_level,
    s.bootstrap_token_escrowed,
    l.device_activation_lock_enabled OR l.user_activation_lock_enabled AS activation_lock_on,
    l.user_activation_lock_enabled AS activation_lock_by_user,
    l.device_activation_lock_enabled AS activation_lock_by_device,
    a.app_count,
    k.failed_items,
    f.last_collected_at AS posture_collected_at
FROM devices AS d
LEFT JOIN prism_device_information AS i USING (device_id)
LEFT JOIN prism_filevault AS f USING (device_id)
LEFT JOIN prism_application_firewall AS w USING (device_id)
LEFT JOIN prism_gatekeeper_and_xprotect AS g USING (device_id)
LEFT JOIN prism_startup_settings AS s USING (device_id)
LEFT JOIN prism_activation_lock AS l USING (device_id)
LEFT JOIN device_details AS x USING (device_id)
LEFT JOIN users AS u ON u.id = d.user_id
LEFT JOIN (SELECT n.device_id, count(*) AS app_count FROM apps AS n GROUP BY n.device_id) AS a USING (device_id)
LEFT JOIN (
    SELECT t.device_id, count(*) FILTER (upper(t.status) IN ('ERROR', 'FAILED')) AS failed_items
    FROM device_library_items AS t
    GROUP BY t.device_id
) AS k USING (device_id);
