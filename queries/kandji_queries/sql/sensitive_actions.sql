-- title: Who acted on devices or read secrets
-- description: Events of the provider's audit log of the last days that are about devices or mention secrets, and every
--   attempt at a live action or secret through this mirror (source mirror), refused and declined ones included, with its
--   outcome. about tells which are sensitive: those about secrets, deletions and live actions come first, then plain
--   changes, each newest first: who, what, to which device, also one that is gone, by the name it had. The provider's
--   log holds a year at most, and what this mirror did a second time, as an event of its API token. It names things by
--   identifiers: an actor that neither users nor any activity names has no name here. Who read a
--   secret in the provider's own console is known only where its log has an event about a secret; none is documented, so
--   that none here proves nothing. A secret that was read through this mirror is always here. all_events lists
--   everything.
-- without: FROM audit_events WHERE target_type NOT IN ('library_item', 'blueprint')
--   AND regexp_matches(lower(concat_ws(' ', target_type, target_component, new_state, event_metadata)),
--   'secret|filevault|recovery|bypass|unlock|passcode') | The provider's log that is mirrored has no event about a
--   secret: who read one in its console cannot be told from it; only what this mirror read is known.
-- param: days int = 30 [1, 400] | Days back.
-- param: actor text optional | Only what somebody did: part of a name or address, an identifier, or api_token.
-- param: all_events bool = false | Whether events on other things (blueprints, library, users) are listed too.
-- beyond: days=400 occurred_at
-- tells: about
-- column: source | Which log it is from: provider or mirror.
-- column: about | secret, deletion and live_action are sensitive, change is any other event.
-- column: device_name | Name of the device, or the last that is known of one that is gone.
-- column: serial_number | Serial number of the device, also of one that is gone, where it is known.
-- column: actor_name | Name of who did it, where it is known.
-- column: actor_email | E-mail address of who did it, where it is known.
-- column: event_id | Identifier of the event.
WITH people AS (
    SELECT actor_id, max(name) AS name, max(email) AS email
    FROM (
        SELECT id AS actor_id, name, email FROM users
        UNION ALL
        SELECT deprecated_user_id, name, email FROM users
        UNION ALL
        SELECT user_id, user_name, user_email FROM device_activity
        UNION ALL
        SELECT user_id, NULL, user_email FROM library_item_activity
        UNION ALL
        SELECT target_id, new_state ->> '$.name', new_state ->> '$.email' FROM audit_events
        WHERE target_type IN ('user', 'api_token')
    )
    WHERE actor_id IS NOT NULL
    GROUP BY actor_id
),
-- what a device was called that is no longer listed, by history or by any event that names it
gone AS (
    SELECT device_id, arg_max(device_name, known_at) AS device_name, arg_max(serial_number, known_at) AS serial_number
    FROM (
        SELECT
            device_id,
            removed_at AS known_at,
            old_row ->> '$.device_name' AS device_name,
            old_row ->> '$.serial_number' AS serial_number
        FROM removed_rows
        WHERE table_name = 'devices'
        UNION ALL
        SELECT
            target_id,
            occurred_at,
            coalesce(
                new_state ->> '$.device_name', new_state ->> '$.name', old_state ->> '$.device_name', old_state ->> '$.name'
            ),
            coalesce(new_state ->> '$.serial_number', old_state ->> '$.serial_number')
        FROM audit_events
        WHERE target_type = 'device'
    )
    GROUP BY device_id
),
recent AS (
    SELECT *, lower(concat_ws(' ', target_type, target_component, new_state, event_metadata)) AS words
    FROM audit_events
    WHERE occurred_at >= (now() AT TIME ZONE 'UTC') - to_days($days::INTEGER)
),
-- one row an attempt: who tried what, and how it ended
attempts AS (
    SELECT
        min(recorded_at) AS occurred_at,
        action_id,
        any_value(action ORDER BY seq) AS action,
        any_value(device_id ORDER BY seq) AS device_id,
        any_value(serial_number ORDER BY seq) AS serial_number,
        any_value(device_name ORDER BY seq) AS device_name,
        any_value(client ORDER BY seq) AS client,
        any_value(os_user ORDER BY seq) AS os_user,
        any_value(reason ORDER BY seq) AS reason,
        arg_max(coalesce(outcome, event), seq) AS outcome
    FROM audit_log
    WHERE recorded_at >= (now() AT TIME ZONE 'UTC') - to_days($days::INTEGER)
    GROUP BY action_id
),
found AS (
    SELECT
        'provider' AS source,
        CASE
            -- a profile named Passcode is no secret
            WHEN
                e.target_type NOT IN ('library_item', 'blueprint')
                AND regexp_matches(e.words, 'secret|filevault|recovery|bypass|unlock|passcode')
                THEN 'secret'
            WHEN e.action = 'delete' THEN 'deletion'
            ELSE 'change'
        END AS about,
        e.occurred_at,
        e.action,
        coalesce(d.device_name, g.device_name) AS device_name,
        coalesce(d.serial_number, g.serial_number) AS serial_number,
        p.name AS actor_name,
        p.email AS actor_email,
        e.actor_type,
        e.actor_id,
        e.target_type,
        e.target_component,
        e.target_id,
        NULL AS outcome,
        NULL AS reason,
        e.new_state,
        e.event_metadata,
        e.id AS event_id
    FROM recent AS e
    LEFT JOIN devices AS d ON d.device_id = e.target_id
    LEFT JOIN gone AS g ON g.device_id = e.target_id
    LEFT JOIN people AS p USING (actor_id)
    WHERE
        $all_events
        OR d.device_id IS NOT NULL
        OR e.target_type = 'device'
        OR regexp_matches(e.words, 'secret|filevault|recovery|bypass|unlock|passcode')
    UNION ALL BY NAME
    SELECT
        'mirror' AS source,
        'live_action' AS about,
        a.occurred_at,
        a.action,
        'device' AS target_type,
        a.device_id AS target_id,
        coalesce(d.device_name, a.device_name) AS device_name,
        coalesce(d.serial_number, a.serial_number) AS serial_number,
        a.client AS actor_type,
        a.os_user AS actor_name,
        a.outcome,
        a.reason,
        a.action_id AS event_id
    FROM attempts AS a
    LEFT JOIN devices AS d USING (device_id)
)
FROM found
WHERE
    $actor IS NULL
    OR contains(folded(actor_name), folded($actor))
    OR contains(folded(actor_email), folded($actor))
    OR folded_id(actor_id) = folded_id($actor)
    OR folded(actor_type) = folded($actor)
ORDER BY about = 'change', occurred_at DESC, source, event_id DESC;
