-- title: Tokens of Automated Device Enrollment
-- description: Every token of Apple Business Manager with its expiry, the next to expire first, and its last contact
--   with Apple. Without a valid token no device enrols by itself.
-- chart: bar x=token y=days_left unit=days
-- says: {count|token|tokens}; {first token} expires first, in {first days_left|day|days}.
-- column: token | Name of the enrolment token.
-- column: default_blueprint | Blueprint that its devices get.
-- column: organisation | Organisation at Apple.
-- column: token_id | Identifier of the token.
SELECT
    t.server_name AS token,
    t.access_token_expiry,
    date_diff('day', (now() AT TIME ZONE 'UTC'), t.access_token_expiry) AS days_left,
    t.status,
    t.status_reason,
    t.last_device_sync,
    t.device_count AS devices,
    t.blueprint_name AS default_blueprint,
    t.org_name AS organisation,
    t.id AS token_id
FROM ade_integrations AS t
ORDER BY t.access_token_expiry NULLS FIRST, t.server_name, t.id;
