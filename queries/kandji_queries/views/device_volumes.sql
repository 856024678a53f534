-- title: Volumes of Apple devices, one row a volume
-- key: device_id, identifier, name
-- description: One row for each volume in the details of an Apple device, in numbers. Volumes of one container (disk3 of
--   disk3s1) share their room: their numbers are the same and not to be added up; the one that the device runs from is
--   is_start_volume, and disk_total_bytes in fleet tells of it. Of Windows and Android the details have no volumes.
-- column: name | Name of the volume; iPhones and iPads do not say.
-- column: identifier | Identifier such as disk3s1; the volumes whose first number is the same share their room.
-- column: format | Format, such as APFS.
-- column: is_start_volume | Whether the device runs from it; NULL where that is not clear.
-- column: total_bytes | Capacity in bytes.
-- column: available_bytes | Free room in bytes.
-- column: used_percent | Used room in percent, as the provider counts it.
-- column: is_encrypted | Whether it is encrypted.
SELECT
    device_id,
    nullif(volume['name'], '') AS name,
    nullif(volume['identifier'], '') AS identifier,
    nullif(volume['format'], '') AS format,
    volume['name'] = started['name'] AND volume['identifier'] IS NOT DISTINCT FROM started['identifier']
    AS is_start_volume,
    bytes_of(volume['capacity'], base := base) AS total_bytes,
    bytes_of(volume['available'], base := base) AS available_bytes,
    percent_of(volume['percent_used']) AS used_percent,
    CASE lower(volume['encrypted']) WHEN 'yes' THEN true WHEN 'no' THEN false END AS is_encrypted
FROM (
    SELECT
        device_id,
        start_volume(volumes, boot_volume) AS started,
        box_base(model_identifier, boot_volume) AS base,
        unnest(
            from_json(
                volumes,
                '[{"name":"VARCHAR","identifier":"VARCHAR","format":"VARCHAR","capacity":"VARCHAR","available":"VARCHAR",'
                '"percent_used":"VARCHAR","encrypted":"VARCHAR"}]'
            )
        ) AS volume
    FROM device_details
);
