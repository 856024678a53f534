-- title: People who are called nearly so
-- description: The nearest few, only where nobody fits a text as devices_of_user compares it.
WITH called AS (
    SELECT user_id AS id, user_name AS name, user_email AS email FROM devices
    UNION
    SELECT id, name, email FROM users
),
scored AS (
    SELECT
        name,
        email,
        id = $user
        OR text_match($user, email) IS NOT NULL
        OR text_match($user, name) IS NOT NULL
        OR words_match($user, name) AS fits,
        greatest(
            jaro_winkler_similarity(folded($user), folded(coalesce(name, ''))),
            jaro_winkler_similarity(folded($user), folded(coalesce(email, ''))),
            list_max(
                list_transform(name_words(name), lambda word: jaro_winkler_similarity(folded($user), word))
            )
        ) AS similarity
    FROM called
)
SELECT name, email
FROM scored
WHERE similarity >= 0.85 AND NOT (SELECT coalesce(bool_or(fits), false) FROM scored)
GROUP BY name, email
ORDER BY max(similarity) DESC, name, email
LIMIT 3;
