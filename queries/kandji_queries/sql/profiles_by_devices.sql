-- title: Configuration profiles by number of devices
-- description: Every configuration profile found on Apple devices, the most common first: on how many, on how many of
--   them somebody put it there by hand instead of MDM, and on how many the person can remove it.
-- counts: devices
-- chart: bar x=profile y=devices unit=devices
-- says: {count|profile|profiles}; {top profile by devices} is on most devices.
-- column: by_hand | On how many somebody put it by hand instead of MDM.
SELECT
    profile_display_name AS profile,
    payload_identifier,
    organization,
    count(DISTINCT device_id) AS devices,
    count(DISTINCT device_id) FILTER (NOT managed) AS by_hand,
    count(DISTINCT device_id) FILTER (removable) AS removable
FROM prism_installed_profiles
GROUP BY ALL
ORDER BY devices DESC, profile, payload_identifier, organization;
