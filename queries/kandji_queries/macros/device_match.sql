-- title: How well a device fits
-- description: 1 where the identifier, serial number, asset tag or whole name of a row of devices is what was asked
--   for, 2 where its name contains it, 3 where its person's address is that or their name contains it, else NULL. All
--   as folded() and folded_id() compare it. The smallest number of all devices tells the ones that are meant:
--   device_match('C02X', d) of devices AS d.
CREATE MACRO device_match(asked, device) AS
    CASE
        WHEN
            folded_id(asked) IN (
                folded_id(device.device_id), folded_id(device.serial_number), folded_id(device.asset_tag)
            )
            THEN 1
        ELSE coalesce(
            text_match(asked, device.device_name),
            CASE
                WHEN text_match(asked, device.user_email) = 1 OR text_match(asked, device.user_name) IS NOT NULL THEN 3
            END
        )
    END;
