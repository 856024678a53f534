-- title: Blueprints by name
-- description: Every blueprint with how well a text fits: 1 where it is its name or identifier, 2 where the name contains
--   it, 3 where it is written similarly, else 4; the best first.
SELECT
    name,
    CASE
        WHEN id = $blueprint THEN 1
        ELSE coalesce(
            text_match($blueprint, name),
            CASE WHEN jaro_winkler_similarity(folded(name), folded($blueprint)) >= 0.85 THEN 3 ELSE 4 END
        )
    END AS match
FROM blueprints
ORDER BY match, name, id;
