-- title: What changed on a device
-- description: Everything that changed on a device within the last days, newest first, one row a thing: its owner,
--   operating system and blueprint, its apps, profiles, accounts, settings and all else of which history is kept; what
--   says it in words. A thing that was added or removed has no column. What the mirror did not see is not known: the
--   view history tells since when it looks. The device, also one that is gone, is found by identifier, serial number,
--   asset tag or whole name in any letter case; only where there is none, by a part of its name, and then by its
--   person. Of several all are listed one after the other, the one that checked in last first: device_id tells them
--   apart.
-- param: device text | Identifier, serial number, asset tag or name of the device.
-- param: days int = 7 [1, 3650] | Days back.
-- nearest: days=3650 changed_at
-- since: (now() AT TIME ZONE 'UTC') - to_days($days::INTEGER)
WITH known AS (
    SELECT device_id, device_name, serial_number, asset_tag, user_name, user_email, last_check_in, is_missing
    FROM devices
    UNION ALL
    FROM (
        SELECT DISTINCT ON (r.device_id)
            r.device_id,
            r.old_row ->> '$.device_name',
            r.old_row ->> '$.serial_number',
            r.old_row ->> '$.asset_tag',
            r.old_row ->> '$.user_name',
            r.old_row ->> '$.user_email',
            try_cast(r.old_row ->> '$.last_check_in' AS TIMESTAMP),
            coalesce(try_cast(r.old_row ->> '$.is_missing' AS BOOLEAN), false)
        FROM removed_rows AS r
        ANTI JOIN devices AS d USING (device_id)
        WHERE r.table_name = 'devices'
        ORDER BY r.device_id, r.removed_at DESC
    )
),
meant AS (
    FROM (SELECT d.*, device_match($device, d) AS match FROM known AS d)
    QUALIFY match = min(match) OVER ()
)
SELECT
    c.changed_at,
    c.device_id,
    c.device_name,
    c.serial_number,
    c.what,
    c.table_name,
    c.change,
    c.row_key,
    c.column_name,
    c.old_value,
    c.new_value,
    m.last_check_in,
    m.is_missing
FROM changes_between((now() AT TIME ZONE 'UTC') - to_days($days::INTEGER), 'infinity') AS c
JOIN meant AS m USING (device_id)
ORDER BY
    m.last_check_in DESC NULLS LAST,
    c.device_id,
    c.changed_at DESC,
    c.device_name,
    c.table_name,
    c.row_key,
    c.column_name;
