-- title: People by department
-- description: For each department how many people are in it, how many of them are active, archived or have no device,
--   and how many devices are assigned to them (removed and missing ones beside). People without a department are
--   (none); devices without a person, or whose person is not in the directory, are in no row.
-- counts: devices and people
-- chart: bar x=department y=people unit=people
-- says: {sum people|person|people} in {count|department|departments}; most are in {top department by people}.
-- column: department | Department, or (none).
-- column: people | Number of people.
-- column: active | How many of them are active in the directory.
-- column: archived | How many are archived.
-- column: without_device | How many have no device.
WITH held AS (
    SELECT
        user_id,
        count(*) AS devices,
        count(*) FILTER (is_missing) AS missing,
        count(*) FILTER (is_removed) AS removed
    FROM devices
    WHERE user_id IS NOT NULL
    GROUP BY user_id
)
SELECT
    coalesce(nullif(trim(u.department), ''), '(none)') AS department,
    count(*) AS people,
    count(*) FILTER (u.active) AS active,
    count(*) FILTER (u.archived) AS archived,
    count(*) FILTER (h.user_id IS NULL) AS without_device,
    coalesce(sum(h.devices), 0)::BIGINT AS devices,
    coalesce(sum(h.missing), 0)::BIGINT AS missing,
    coalesce(sum(h.removed), 0)::BIGINT AS removed
FROM users AS u
LEFT JOIN held AS h ON h.user_id = u.id
GROUP BY ALL
ORDER BY people DESC, department;
