-- title: Whether a version is older than another
-- description: true or false; NULL where that cannot be told: one of them is no version, or their numbers agree and what
--   comes after is a word that does not order versions ("2.0-blue" and "2.0-red", "4.0 EN" and "4.0"), or one has a
--   patch and the other an update or a build, or only one of two betas has a build. What is NULL is to be looked at,
--   never to be taken for new enough.
CREATE MACRO version_below(version, than) AS
    list_transform(
        [{'one': version_key(version), 'other': version_key(than)}],
        lambda pair: CASE
            WHEN pair['one'] IS NULL OR pair['other'] IS NULL THEN NULL
            -- a build is the fourth number at the earliest; what follows takes as long as the keys, so it is for few
            WHEN
                pair['one'][:3] <> pair['other'][:3]
                OR regexp_full_match(version::VARCHAR, '[\d.]*') AND regexp_full_match(than::VARCHAR, '[\d.]*')
                THEN pair['one'] < pair['other']
            ELSE list_transform(
                list_transform(
                    [
                        {
                            'one': pair['one'],
                            'other': pair['other'],
                            'parts': list_transform(
                                [version::VARCHAR, than::VARCHAR],
                                lambda text: version_parts(text)
                            ),
                            -- the first element that differs: a number or a build, or what it is that comes after
                            'at': CASE
                                WHEN pair['one'] = pair['other'] THEN 0
                                WHEN pair['one'][:13] <> pair['other'][:13] THEN 13
                                WHEN pair['one'][14] <> pair['other'][14] THEN 14
                                WHEN pair['one'][15] <> pair['other'][15] THEN 15
                                WHEN pair['one'][16] <> pair['other'][16] THEN 16
                                WHEN pair['one'][17] <> pair['other'][17] THEN 17
                                WHEN pair['one'][18] <> pair['other'][18] THEN 18
                                ELSE 19
                            END
                        }
                    ],
                    lambda read: {
                        'one': read['one'],
                        'other': read['other'],
                        'at': read['at'],
                        'numbers': list_transform(
                            read['parts'],
                            -- without builds
                            lambda part: list_resize(
                                string_split_regex(part['numbers'], '\s*[.,_-]\s*')::HUGEINT[], 13, 0::HUGEINT
                            )
                        ),
                        'rests': list_transform(read['parts'], lambda part: part['rest']),
                        'builds': list_transform(
                            read['parts'], lambda part: coalesce(part['build']::VARCHAR, part['apple'])
                        ),
                        -- what each has where they differ
                        'has': CASE
                            WHEN read['at'] = 13
                                THEN list_transform(read['parts'], lambda part: coalesce(part['build'], 0))
                            ELSE [read['one'][read['at']], read['other'][read['at']]]
                        END
                    }
                ),
                lambda found: CASE
                    WHEN found['at'] > 0 AND found['numbers'][1] <> found['numbers'][2] THEN found['one'] < found['other']
                    -- a word nobody knows may be whatever comes after what was read
                    WHEN
                        found['rests'][1] IS DISTINCT FROM found['rests'][2]
                        AND (
                            found['at'] = 0
                            OR found['rests'][1] IS NOT NULL AND found['has'][1] = 0
                            OR found['rests'][2] IS NOT NULL AND found['has'][2] = 0
                            OR found['at'] IN (13, 19) AND list_contains(found['has'], 0)
                        )
                        THEN NULL
                    WHEN found['at'] = 0 THEN false
                    -- a patch against an update, or against the build of what may be patched or not
                    WHEN
                        found['at'] = 17
                        AND NOT list_has_any([0, 3], [found['one'][17], found['other'][17]])
                        THEN NULL
                    WHEN
                        found['at'] = 13
                        AND found['one'][14] = found['other'][14]
                        AND found['one'][17] <> found['other'][17]
                        THEN NULL
                    -- builds are counted either in numbers or as Apple does
                    WHEN
                        found['at'] IN (13, 19)
                        AND found['one'][14] = found['other'][14]
                        AND regexp_matches(found['builds'][1], '[a-z]') <> regexp_matches(found['builds'][2], '[a-z]')
                        THEN NULL
                    -- which beta it is, its number or its build tells
                    WHEN
                        found['one'][14] < 0
                        AND (
                            found['at'] = 19 AND list_contains(found['has'], 0)
                            OR found['at'] = 15 AND (
                                found['one'][15] = 0 AND found['one'][19] > 0
                                OR found['other'][15] = 0 AND found['other'][19] > 0
                            )
                        )
                        THEN NULL
                    -- the builds of two seeds say what is older, whatever they are called
                    WHEN
                        found['at'] IN (14, 15, 16)
                        AND regexp_matches(found['builds'][1], '[a-z]\d+[a-z]$')
                        AND regexp_matches(found['builds'][2], '[a-z]\d+[a-z]$')
                        AND (found['one'] < found['other']) <> (found['one'][19] < found['other'][19])
                        THEN NULL
                    ELSE found['one'] < found['other']
                END
            )[1]
        END
    )[1];
