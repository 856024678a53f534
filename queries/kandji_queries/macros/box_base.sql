-- title: The base in which a device counts its storage
-- description: 1000 for iPhones, iPads and other devices whose capacity is that on the box, 1024 for computers, by
--   model_identifier of device_details; a device with a boot_volume is a Mac. NULL where neither is known: then nobody
--   can say what a GB is.
CREATE MACRO box_base(model_identifier, boot_volume) AS
    CASE
        WHEN regexp_matches(model_identifier, '^(iPhone|iPad|iPod|AppleTV|Watch|RealityDevice)') THEN 1000
        WHEN model_identifier IS NOT NULL OR boot_volume IS NOT NULL THEN 1024
    END;
