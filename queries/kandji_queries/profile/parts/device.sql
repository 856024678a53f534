-- title: The device
-- description: What it is and where it belongs.
-- usual: yes
-- one: yes
-- column: asset_tag | Asset tag
-- column: os_version | OS version
-- column: blueprint_name | Blueprint
-- column: tags | Tags
-- column: supervised | Supervised | yes/no | iPhone, iPad, AppleTV, Vision, Mac
-- column: auto_enrolled | Automated enrolment | yes/no | iPhone, iPad, AppleTV, Vision, Mac
-- column: first_enrollment | First enrolment
-- column: last_enrollment? | Latest enrolment
-- column: is_missing | Marked missing | yes/no
-- column: is_removed | Marked removed | yes/no
-- column: device_id | Device id
SELECT
    d.device_id,
    d.device_name,
    d.serial_number,
    d.asset_tag,
    d.platform,
    d.model,
    d.os_version,
    i.marketing_name AS os_marketing_name,
    d.blueprint_name,
    d.tags,
    x.supervised,
    x.auto_enrolled,
    d.first_enrollment,
    nullif(d.last_enrollment, d.first_enrollment) AS last_enrollment,
    d.is_missing,
    d.is_removed
FROM devices AS d
LEFT JOIN prism_device_information AS i USING (device_id)
LEFT JOIN device_details AS x USING (device_id)
WHERE d.device_id = $device_id;
