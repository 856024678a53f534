-- title: People
-- description: People of the directory and those who are assigned to devices, by name, e-mail address and identifier.
WITH assigned AS (
    SELECT user_id AS id, any_value(user_name) AS name, any_value(user_email) AS email, count(*) AS devices
    FROM devices
    WHERE user_id IS NOT NULL
    GROUP BY user_id
)
SELECT
    coalesce(u.name, a.name, u.email, a.email, id) AS name,
    coalesce(u.email, a.email) AS also,
    id,
    concat_ws(
        '; ',
        coalesce(u.email, a.email),
        u.department,
        u.job_title,
        CASE WHEN u.archived THEN 'archived' END,
        format('{:,} devices', coalesce(a.devices, 0))
    ) AS about,
    coalesce(a.devices, 0) AS weight
FROM users AS u
FULL JOIN assigned AS a USING (id);
