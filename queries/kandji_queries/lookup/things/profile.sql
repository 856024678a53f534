-- title: Configuration profiles
-- description: Profiles that devices have, and those of the library, by name and identifier.
WITH installed AS (
    SELECT profile_display_name AS name, payload_identifier AS identifier, count(DISTINCT device_id) AS devices
    FROM prism_installed_profiles
    GROUP BY ALL
),
profiles AS (
    SELECT name, identifier, devices FROM installed
    UNION ALL
    SELECT c.name, c.mdm_identifier, NULL
    FROM custom_profiles AS c
    ANTI JOIN installed AS i ON i.name = c.name
)
SELECT
    coalesce(name, identifier) AS name,
    identifier AS also,
    NULL AS id,
    concat_ws(
        '; ',
        identifier,
        CASE WHEN devices IS NULL THEN 'in the library, on no device' ELSE format('on {:,} devices', devices) END
    ) AS about,
    coalesce(devices, 0) AS weight
FROM profiles;
