-- title: Who acted on devices or read secrets
-- description: Events of the provider's audit log of the last days that are about devices or mention secrets, newest
--   first: who, what, to which device. The log holds a year at most, and whatever was done by this mirror too. It
--   names things by identifiers: an actor that is no mirrored user, such as an API token, has no name here. How the
--   provider words the reading of a secret is not documented; all_events lists everything.
-- param: days int = 30 [1, 400] | Days back.
-- param: all_events bool = false | Whether events on other things (blueprints, library, users) are listed too.
WITH people AS (
    SELECT actor_id, max(name) AS name, max(email) AS email
    FROM (
        SELECT id AS actor_id, name, email FROM users
        UNION ALL
        SELECT deprecated_user_id, name, email FROM users
    )
    GROUP BY actor_id
),
recent AS (
    SELECT *, lower(concat_ws(' ', target_type, target_component, new_state, event_metadata)) AS words
    FROM audit_events
    WHERE occurred_at >= now()::TIMESTAMP - to_days($days::INTEGER)
)
SELECT
    e.occurred_at,
    e.action,
    e.target_type,
    e.target_component,
    e.target_id,
    d.device_name,
    d.serial_number,
    e.actor_type,
    e.actor_id,
    p.name AS actor_name,
    p.email AS actor_email,
    e.new_state,
    e.event_metadata,
    e.id AS event_id
FROM recent AS e
LEFT JOIN devices AS d ON d.device_id = e.target_id
LEFT JOIN people AS p USING (actor_id)
WHERE
    $all_events
    OR d.device_id IS NOT NULL
    OR e.target_type = 'device'
    OR regexp_matches(e.words, 'secret|filevault|recovery|bypass|unlock|passcode')
ORDER BY e.occurred_at DESC, e.id DESC;
