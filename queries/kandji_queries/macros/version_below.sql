-- title: Whether a version is older than another
-- description: true or false; NULL where that cannot be told: one of them is no version, or they agree in all that
--   orders versions and differ in a word that does not ("2.0-blue" and "2.0-red"), or one has a patch and the other an
--   update. What is NULL is to be looked at, never to be taken for new enough.
CREATE MACRO version_below(version, than) AS
    list_transform(
        [{'one': version_key(version), 'other': version_key(than)}],
        lambda pair: CASE
            WHEN pair['one'] IS NULL OR pair['other'] IS NULL THEN NULL
            WHEN pair['one'] = pair['other']
                -- the words are looked at for these alone: that takes as long as the keys
                THEN CASE
                    WHEN version_parts(version)['rest'] IS NOT DISTINCT FROM version_parts(than)['rest'] THEN false
                END
            WHEN
                pair['one'][:16] = pair['other'][:16]
                -- nothing, and a final (2021.3.5f1), come before whatever a patch or an update is
                AND NOT list_has_any([0, 3], [pair['one'][17], pair['other'][17]])
                AND pair['one'][17] <> pair['other'][17]
                THEN NULL
            ELSE pair['one'] < pair['other']
        END
    )[1];
