-- title: Assets, one row a device
-- description: Every device as an asset register wants it: serial number, asset tag, model, person, blueprint, when it was
--   first enrolled and last seen, storage, memory, MAC address and IMEI. The provider has no date of purchase, no price
--   and no warranty; assigned_at_apple, the day the device was given to this organisation at Apple, comes nearest to a
--   purchase. What comes from the details (model_identifier, memory, MAC address) is empty where they were not read:
--   `kandji-mirror sync device_details` reads them, one request a device. status is enrolled, missing or removed as the
--   provider marks the device; with_gone adds devices that it lists no longer, gone, as they last were by the history.
--   `kandji-mirror export asset_list --map snipe-it` writes it as the importer of another asset system wants it.
-- for: pictures
-- counts: devices
-- tells: status
-- param: with_gone bool = false | Whether devices that are listed no longer are added, as they last were.
-- column: model | Model as marketed.
-- column: model_identifier | Apple's model identifier, such as Mac14,2.
-- column: kind | laptop, desktop, phone, tablet, television, headset; computer or mobile where the records do not say which.
-- column: manufacturer | Apple, or of Windows and Android the maker as it says.
-- column: department | Department of the assigned person.
-- column: assigned_at_apple | When it was last assigned at Apple to this organisation, which automated enrolment knows.
-- column: storage_bytes | Size of the disk in bytes.
-- column: storage_gb | The same in GB, 10^9 bytes.
-- column: memory_bytes | Memory (RAM) in bytes.
-- column: memory_gb | The same in GB of 2^30 bytes, as memory is sold.
-- column: imei | Equipment number of the first slot, digits alone.
-- column: imei_2 | Equipment number of the second slot.
-- column: status | enrolled, missing, removed, or gone where it is listed no longer.
-- column: gone_at | When it was first seen to be listed no longer, UTC.
WITH assigned AS (
    SELECT a.serial_number, max(a.device_assigned_date) AS assigned_at_apple
    FROM ade_devices AS a
    WHERE a.serial_number IS NOT NULL
    GROUP BY a.serial_number
),
listed AS (
    SELECT
        d.device_id,
        d.serial_number,
        d.device_name,
        d.asset_tag,
        d.model,
        d.platform,
        d.os_version,
        d.supplemental_build_version AS os_build,
        d.user_id,
        d.user_name,
        d.user_email,
        d.user_is_archived,
        d.blueprint_name,
        d.first_enrollment,
        d.last_enrollment,
        d.last_check_in,
        d.is_missing,
        d.is_removed,
        CASE WHEN d.is_removed THEN 'removed' WHEN d.is_missing THEN 'missing' ELSE 'enrolled' END AS status,
        NULL::TIMESTAMP AS gone_at
    FROM devices AS d
),
-- as they were when they were last listed, each once; one that came back under another identifier is no gone one
gone AS (
    SELECT
        r.device_id,
        r.old_row ->> '$.serial_number' AS serial_number,
        r.old_row ->> '$.device_name' AS device_name,
        r.old_row ->> '$.asset_tag' AS asset_tag,
        r.old_row ->> '$.model' AS model,
        r.old_row ->> '$.platform' AS platform,
        r.old_row ->> '$.os_version' AS os_version,
        r.old_row ->> '$.supplemental_build_version' AS os_build,
        r.old_row ->> '$.user_id' AS user_id,
        r.old_row ->> '$.user_name' AS user_name,
        r.old_row ->> '$.user_email' AS user_email,
        try_cast(r.old_row ->> '$.user_is_archived' AS BOOLEAN) AS user_is_archived,
        r.old_row ->> '$.blueprint_name' AS blueprint_name,
        try_cast(r.old_row ->> '$.first_enrollment' AS TIMESTAMP) AS first_enrollment,
        try_cast(r.old_row ->> '$.last_enrollment' AS TIMESTAMP) AS last_enrollment,
        try_cast(r.old_row ->> '$.last_check_in' AS TIMESTAMP) AS last_check_in,
        try_cast(r.old_row ->> '$.is_missing' AS BOOLEAN) AS is_missing,
        try_cast(r.old_row ->> '$.is_removed' AS BOOLEAN) AS is_removed,
        'gone' AS status,
        r.removed_at AS gone_at
    FROM removed_rows AS r
    WHERE
        $with_gone
        AND r.table_name = 'devices'
        AND NOT EXISTS (FROM main.devices AS d WHERE d.device_id = r.device_id)
        AND NOT EXISTS (FROM main.devices AS d WHERE d.serial_number = r.old_row ->> '$.serial_number')
    QUALIFY row_number() OVER (
        PARTITION BY coalesce(r.old_row ->> '$.serial_number', r.device_id) ORDER BY r.removed_at DESC, r.device_id
    ) = 1
)
SELECT
    a.device_id,
    a.serial_number,
    a.device_name,
    a.asset_tag,
    coalesce(x.model_identifier, i.model_id, i.model_identifier) AS model_identifier,
    coalesce(a.model, i.model_name, x.model_name) AS model,
    CASE
        WHEN a.platform = 'Mac' THEN
            CASE WHEN coalesce(i.model_name, a.model, x.model_name) ILIKE 'MacBook%' THEN 'laptop'
                WHEN coalesce(i.model_name, a.model, x.model_name) IS NOT NULL THEN 'desktop' ELSE 'computer' END
        WHEN a.platform = 'iPhone' THEN 'phone'
        WHEN a.platform = 'iPad' THEN 'tablet'
        WHEN a.platform = 'AppleTV' THEN 'television'
        WHEN a.platform = 'Vision' THEN 'headset'
        WHEN a.platform = 'Windows' THEN 'computer'
        WHEN a.platform = 'Android' THEN 'mobile'
    END AS kind,
    CASE WHEN a.platform IN ('Mac', 'iPhone', 'iPad', 'AppleTV', 'Vision') THEN 'Apple' ELSE x.manufacturer END
    AS manufacturer,
    a.platform,
    a.os_version,
    a.os_build,
    a.user_name,
    a.user_email,
    a.user_is_archived,
    u.department,
    a.blueprint_name,
    s.assigned_at_apple,
    a.first_enrollment,
    a.last_enrollment,
    a.last_check_in,
    -- Prism says it of more devices, in whole GB as on the box
    coalesce(x.disk_total_bytes, try_cast(i.device_capacity * 1e9 AS BIGINT)) AS storage_bytes,
    round(storage_bytes / 1e9, 1) AS storage_gb,
    x.memory_bytes,
    round(x.memory_bytes / 1073741824, 1) AS memory_gb,
    x.mac_address,
    regexp_replace(c.imei_slot_1, '\s', '', 'g') AS imei,
    regexp_replace(c.imei_slot_2, '\s', '', 'g') AS imei_2,
    a.status,
    a.gone_at,
    a.is_missing,
    a.is_removed
FROM (FROM listed UNION ALL FROM gone) AS a
LEFT JOIN prism_device_information AS i USING (device_id)
LEFT JOIN device_details AS x USING (device_id)
LEFT JOIN prism_cellular AS c USING (device_id)
LEFT JOIN users AS u ON u.id = a.user_id
LEFT JOIN assigned AS s ON s.serial_number = a.serial_number
ORDER BY a.serial_number, a.device_id;
