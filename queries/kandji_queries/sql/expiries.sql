-- title: What runs out, and when
-- description: Everything that expires of which the mirror has a date, the next first: each token of Automated Device
--   Enrollment, and the certificates on devices, together by the month in which they expire; what expires after the
--   days asked for is one row, and so are certificates without a known date, last. days_left is of the first to expire
--   in the row, negative where it has. The provider documents no dates of certificates, so that most have none; of
--   push certificates (APNs) and contracts it tells nothing. ade_tokens and expiring_certificates list them.
-- counts: devices
-- for: pictures
-- param: days int = 365 [1, 3650] | Days from now that are told month by month.
-- chart: bar x=what y=days_left unit=days
-- says: First to run out: {first what}, {first in_words}.
-- column: kind | Enrolment token or certificate.
-- column: what | Name of the token, or the month in which the certificates expire.
-- column: expires_at | When the first of them expires, UTC; empty where it is not known.
-- column: items | How many tokens or certificates.
-- column: devices | How many devices have such a certificate, or came by the token.
-- column: behind | The named query that lists them.
-- column: in_words | How long it has still, or for how long it has not been valid.
WITH dated AS (
    SELECT
        device_id,
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
),
certificates AS (
    SELECT
        'certificate' AS kind,
        CASE
            WHEN expires_at IS NULL THEN 'Certificates without a known date'
            WHEN expires_at < (now() AT TIME ZONE 'UTC') THEN 'Certificates that have expired'
            WHEN expires_at > (now() AT TIME ZONE 'UTC') + to_days($days::INTEGER) THEN 'Certificates that expire later'
            ELSE 'Certificates expiring in ' || strftime(expires_at, '%Y-%m')
        END AS what,
        min(expires_at) AS expires_at,
        count(*) AS items,
        count(DISTINCT device_id) AS devices,
        'expiring_certificates' AS behind
    FROM dated
    GROUP BY ALL
),
found AS (
    SELECT
        'enrolment token' AS kind,
        'Enrolment token ' || coalesce(server_name, id, '') AS what,
        access_token_expiry AS expires_at,
        1 AS items,
        device_count AS devices,
        'ade_tokens' AS behind,
        id
    FROM ade_integrations
    UNION ALL BY NAME
    FROM certificates
)
SELECT
    kind,
    what,
    expires_at,
    date_diff('day', (now() AT TIME ZONE 'UTC'), expires_at) AS days_left,
    items,
    devices,
    behind,
    CASE
        WHEN days_left IS NULL THEN 'at a date that is not known'
        WHEN expires_at < (now() AT TIME ZONE 'UTC') AND days_left = 0 THEN 'expired today'
        WHEN days_left = 0 THEN 'today'
        ELSE
            format(
                CASE WHEN days_left < 0 THEN 'expired {:t,} day{} ago' ELSE '{:t,} day{} left' END,
                abs(days_left),
                CASE WHEN abs(days_left) = 1 THEN '' ELSE 's' END
            )
    END AS in_words
FROM found
ORDER BY expires_at NULLS LAST, kind, what, id;
