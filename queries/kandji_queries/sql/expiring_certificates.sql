-- title: Certificates that expire
-- description: Certificates that expire within some days or have expired, by device. The provider documents names of
--   certificates but no dates: expires_at is read from a field it may send undocumented, so it is usually empty. All
--   certificates of one name without a date are one row, with the number of devices and no device: that they are
--   listed does not mean that they expire, nor that they do not. ade_tokens has the expiry of enrolment tokens.
-- counts: devices
-- tells: expires_at = without a date, which the provider does not send for them
-- param: days int = 30 [1, 3650] | Days from now.
-- param: with_unknown bool = true | Whether certificates without a known date are listed too.
-- beyond: days=3650 expires_at
-- column: expires_at | When it expires, UTC; empty where that is not known.
WITH dated AS (
    SELECT
        *,
        try_cast(
            coalesce(
                extra ->> '$.expires_at',
                extra ->> '$.expiration_date',
                extra ->> '$.expiry_date',
                extra ->> '$.not_valid_after',
                extra ->> '$.not_after'
            ) AS TIMESTAMP
        ) AS expires_at
    FROM prism_certificates
)
SELECT
    c.expires_at,
    date_diff('day', (now() AT TIME ZONE 'UTC'), c.expires_at) AS days_left,
    c.common_name,
    c.identity_certificate,
    1 AS devices,
    c.device_id,
    d.device_name,
    coalesce(d.serial_number, c.serial_number) AS serial_number,
    d.platform,
    c.last_collected_at,
    d.user_name,
    d.user_email,
    d.is_missing,
    d.is_removed
FROM dated AS c
LEFT JOIN devices AS d USING (device_id)
WHERE c.expires_at <= (now() AT TIME ZONE 'UTC') + to_days($days::INTEGER)
UNION ALL BY NAME
SELECT
    common_name,
    identity_certificate,
    count(DISTINCT device_id) AS devices,
    min(last_collected_at) AS last_collected_at
FROM dated
WHERE expires_at IS NULL AND $with_unknown
GROUP BY common_name, identity_certificate
ORDER BY expires_at NULLS LAST, devices DESC, common_name, identity_certificate, device_id, last_collected_at;
