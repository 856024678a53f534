-- title: Devices
-- description: Devices by name, serial number, asset tag and identifier; identifiers.sql has the others.
SELECT
    coalesce(device_name, serial_number, device_id) AS name,
    serial_number AS also,
    device_id AS id,
    asset_tag,
    concat_ws(
        '; ',
        'serial ' || serial_number,
        'id ' || device_id,
        coalesce(model, platform),
        user_name,
        coalesce('last contact ' || strftime(last_check_in, '%Y-%m-%d'), 'never in contact'),
        CASE WHEN is_missing THEN 'missing' END,
        CASE WHEN is_removed THEN 'removed' END
    ) AS about,
    coalesce(epoch(last_check_in), 0) AS weight
FROM devices;
