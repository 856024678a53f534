-- title: Local accounts on Macs
-- description: Local accounts that deserve a look, with the reasons in findings: admin, hidden, unknown (nothing says
--   whether it is an administrator) and unexpected (a list of expected names was given and it is not on it). Accounts
--   of the system are left out unless asked for: root, daemon, nobody, and names that begin with an underscore unless
--   they are administrators. Macs without rows in Prism are judged by their details, where these were read.
-- counts: devices
-- param: which enum(notable, admin, hidden, unknown, unexpected, all) = notable | Those with that, any or no finding.
-- param: expected text optional | Short names of accounts that are expected, with commas between.
-- param: with_system bool = false | Whether accounts of the system are listed too.
-- column: findings | Why it deserves a look.
-- column: is_admin | Whether it is an administrator; empty where nothing says.
-- column: is_hidden | Whether it is hidden.
WITH detailed AS (
    SELECT x.device_id, unnest(from_json(x.users -> '$.regular_users', '["JSON"]')) AS account
    FROM device_details AS x
    ANTI JOIN prism_local_users AS p USING (device_id)
),
accounts AS (
    SELECT
        device_id,
        username,
        full_name,
        uid,
        CASE WHEN starts_with(lower(type), 'admin') THEN true WHEN lower(type) = 'standard' THEN false END AS is_admin,
        hidden_user AS is_hidden,
        secure_token,
        filevault_user,
        home_directory,
        password_last_set,
        last_collected_at
    FROM prism_local_users
    UNION ALL BY NAME
    SELECT
        device_id,
        account ->> '$.username' AS username,
        account ->> '$.name' AS full_name,
        try_cast(account ->> '$.uid' AS BIGINT) AS uid,
        try_cast(account ->> '$.admin' AS BOOLEAN) AS is_admin,
        account ->> '$.path' AS home_directory
    FROM detailed
),
judged AS (
    SELECT
        *,
        list_filter(
            [
                CASE WHEN is_admin THEN 'admin' END,
                CASE WHEN is_hidden THEN 'hidden' END,
                CASE WHEN is_admin IS NULL THEN 'unknown' END,
                CASE
                    WHEN NOT list_contains(
                        list_transform(string_split($expected, ','), lambda word: folded(word)),
                        folded(username)
                    ) THEN 'unexpected'
                END
            ],
            lambda finding: finding IS NOT NULL
        ) AS findings
    FROM accounts
    WHERE
        $with_system
        OR NOT coalesce(username IN ('root', 'daemon', 'nobody'), false)
        AND NOT coalesce(starts_with(username, '_') AND NOT coalesce(is_admin, false), false)
)
SELECT
    a.device_id,
    d.device_name,
    d.serial_number,
    a.username,
    a.full_name,
    a.uid,
    a.findings,
    a.is_admin,
    a.is_hidden,
    a.secure_token,
    a.filevault_user,
    a.home_directory,
    a.password_last_set,
    a.last_collected_at,
    d.user_name,
    d.user_email,
    d.is_missing,
    d.is_removed
FROM judged AS a
LEFT JOIN devices AS d USING (device_id)
WHERE $which = 'all' OR ($which = 'notable' AND len(a.findings) > 0) OR list_contains(a.findings, $which)
ORDER BY d.device_name, a.device_id, a.username, a.uid;
