-- title: The volume a device runs from
-- description: A struct of name, identifier, capacity, available and percent_used, texts as sent, of the JSON list volumes
--   and the name boot_volume in device_details: the only volume, or the one that is mounted as a snapshot (disk3s3s1), or
--   the data volume of that name, or the one of that name. Volumes of one container share their room, so that one tells
--   of all, and their numbers are not to be added up. NULL where it is not clear which volume it is.
CREATE MACRO start_volume(volumes, boot_volume) AS
    list_transform(
        [
            list_filter(
                from_json(
                    volumes,
                    '[{"name":"VARCHAR","identifier":"VARCHAR","capacity":"VARCHAR","available":"VARCHAR",'
                    '"percent_used":"VARCHAR"}]'
                ),
                lambda volume: CASE
                    WHEN json_array_length(volumes) = 1 THEN true
                    WHEN regexp_matches(volumes::VARCHAR, '"disk\d+s\d+s\d+"')
                        THEN regexp_full_match(volume['identifier'], 'disk\d+s\d+s\d+')
                    WHEN list_contains(volumes ->> '$[*].name', boot_volume || ' - Data')
                        THEN volume['name'] = boot_volume || ' - Data'
                    ELSE volume['name'] = boot_volume
                END
            )
        ],
        -- two of one name, as where a copy of the disk is mounted: nobody knows which
        lambda found: CASE
            WHEN len(found) = 1
                THEN {
                    'name': found[1]['name'],
                    'identifier': found[1]['identifier'],
                    'capacity': found[1]['capacity'],
                    'available': found[1]['available'],
                    'percent_used': found[1]['percent_used']
                }
        END
    )[1];
