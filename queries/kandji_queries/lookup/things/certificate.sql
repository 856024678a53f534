-- title: Certificates
-- description: Certificates by common name, with the devices that have them.
SELECT
    common_name AS name,
    NULL AS also,
    NULL AS id,
    format('on {:,} devices', count(DISTINCT device_id)) AS about,
    count(DISTINCT device_id) AS weight
FROM prism_certificates
GROUP BY common_name;
