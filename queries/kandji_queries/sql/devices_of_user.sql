-- title: Devices of a person
-- description: Devices assigned to a person: found by e-mail address, user identifier or whole name in any letter
--   case; only where nobody has exactly that, by a part of name or address, and then by the words of the name in any
--   order, also as OBrien or Mueller (exact_match is false then, and there may be several people). Devices marked missing or removed are listed with these flags.
-- counts: devices and people
-- param: user text | E-mail address, name, or part of one, such as user@company.com.
-- column: exact_match | Whether address, identifier or whole name is what was asked for.
-- column: user_archived | Whether the person is archived.
WITH matched AS (
    SELECT
        d.*,
        u.department,
        coalesce(u.archived, d.user_is_archived) AS user_archived,
        CASE
            WHEN d.user_id = $user THEN 1
            ELSE least(
                text_match($user, d.user_email),
                text_match($user, d.user_name),
                text_match($user, u.email),
                text_match($user, u.name),
                CASE WHEN words_match($user, d.user_name) OR words_match($user, u.name) THEN 3 END
            )
        END AS match
    FROM devices AS d
    LEFT JOIN users AS u ON u.id = d.user_id
)
SELECT
    d.device_id,
    d.device_name,
    d.serial_number,
    d.platform,
    d.model,
    d.os_version,
    d.match = 1 AS exact_match,
    d.user_id,
    d.user_name,
    d.user_email,
    d.user_archived,
    d.department,
    d.blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM matched AS d
QUALIFY d.match = min(d.match) OVER ()
ORDER BY d.user_name, d.user_email, d.device_name, d.device_id;
