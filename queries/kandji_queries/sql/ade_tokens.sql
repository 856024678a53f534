-- title: Tokens of Automated Device Enrollment
-- description: Every token of Apple Business Manager with its expiry, the next to expire first, and its last contact
--   with Apple. Without a valid token no device enrols by itself.
-- chart: bar x=token y=days_left unit=days
-- says: {count|token|tokens}; {first token} expires first: {first in_words}.
-- column: token | Name of the enrolment token.
-- column: default_blueprint | Blueprint that its devices get.
-- column: organisation | Organisation at Apple.
-- column: token_id | Identifier of the token.
-- column: in_words | How long it is still valid, or for how long it has not been.
WITH dated AS (
    -- the provider's own count of days is as old as the mirror
    SELECT * REPLACE (date_diff('day', (now() AT TIME ZONE 'UTC'), access_token_expiry) AS days_left)
    FROM ade_integrations
)
SELECT
    t.server_name AS token,
    t.access_token_expiry,
    t.days_left,
    t.status,
    t.status_reason,
    t.last_device_sync,
    t.device_count AS devices,
    t.blueprint_name AS default_blueprint,
    t.org_name AS organisation,
    t.id AS token_id,
    CASE
        WHEN t.days_left IS NULL THEN 'at a date that is not known'
        WHEN t.access_token_expiry < (now() AT TIME ZONE 'UTC') AND t.days_left = 0 THEN 'expired today'
        WHEN t.days_left = 0 THEN 'today'
        ELSE
            format(
                CASE WHEN t.days_left < 0 THEN 'expired {:t,} day{} ago' ELSE '{:t,} day{} left' END,
                abs(t.days_left),
                CASE WHEN abs(t.days_left) = 1 THEN '' ELSE 's' END
            )
    END AS in_words
FROM dated AS t
ORDER BY t.access_token_expiry NULLS FIRST, t.server_name, t.id;
