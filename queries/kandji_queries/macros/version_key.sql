-- title: Version order
-- description: A key that sorts version texts the way people mean them: 7.9 = 7.9.0 < 7.10, 1.8.0_332 < 1.8.0_392; dev,
--   snapshot, alpha, beta, preview and release candidate, in this order, before their release; patches, updates and
--   letters after it (1.9.5 < 1.9.5p1, 1.1.1v < 1.1.1w); a build in parentheses or after a plus is the number after the
--   third, so that 7.1.7 (13891) = 7.1.7.13891. NULL for NULL and for a text that does not begin with a number, a
--   leading "v" aside. To sort by; compare with version_below(), since texts that cannot be ordered may have equal keys.
CREATE MACRO version_key(version) AS
    CASE
        -- nearly all are nothing but numbers, and the grammar takes ten times as long; of 39 digits some are no HUGEINT
        WHEN regexp_full_match(version::VARCHAR, '\d{1,38}(?:\.\d{1,38}){0,11}')
            THEN list_resize(string_split(version::VARCHAR, '.')::HUGEINT[], 19, 0::HUGEINT)
        ELSE list_transform(
            list_transform(
                [version_parts(version)],
                -- part['...'] and not part....: the dot is taken for a column after GROUP BY (HAVING)
                lambda part: {
                    'numbers': CASE
                        WHEN NOT regexp_matches(part['numbers'], '\d{39}')
                            THEN string_split_regex(part['numbers'], '\s*[.,_-]\s*')::HUGEINT[]
                    END,
                    'build': part['build'],
                    'is_plain': coalesce(part['stage'], part['kind'], part['letter']) IS NULL,
                    -- 23B74 as one number; that of a seed ends with a letter
                    'apple': regexp_extract(part['apple'], '^\d+')::HUGEINT * 1000000000000
                        + unicode(regexp_extract(part['apple'], '[a-z]'))::HUGEINT * 1000000000
                        + regexp_extract(part['apple'], '[a-z](\d+)', 1)::HUGEINT * 1000
                        + CASE WHEN part['apple'][-1] > '9' THEN unicode(part['apple'][-1]) ELSE 0 END,
                    'is_seed': coalesce(regexp_matches(part['apple'], '[a-z]$'), false),
                    -- below 0 by its first letter in the order of this text; 0 is a release
                    'stage': instr('dsnciabmetprf', part['stage'][1]) - 15,
                    'nth': coalesce(try_cast(part['stage'][2:] AS HUGEINT), part['nth'], 0),
                    'nth_of_nth': coalesce(part['nth_of_nth'], 0),
                    'kind': coalesce(instr('fpush', part['kind'][1]) + 2, CASE WHEN part['letter'] <> '' THEN 1 END, 0),
                    'count': coalesce(
                        part['count'],
                        (unicode(part['letter'][1]) - 96) * 27 + greatest(unicode(part['letter'][2]) - 96, 0),
                        0
                    )
                }
            ),
            lambda read: CASE
                -- said once more here: before 1.3 NULL || a list is that list
                WHEN read['numbers'] IS NOT NULL THEN
                    -- the numbers, padded so that 7.9 equals 7.9.0
                    list_resize(
                        CASE
                            WHEN read['is_plain'] AND read['build'] IS NOT NULL
                                THEN list_append(
                                    list_resize(read['numbers'], greatest(len(read['numbers']), 3), 0::HUGEINT),
                                    read['build']
                                )
                            ELSE read['numbers']
                        END,
                        13,
                        0::HUGEINT
                    )
                    || [
                        -- a seed is a beta, whether that is said or not
                        coalesce(read['stage'], CASE WHEN read['is_seed'] THEN -8 ELSE 0 END)::HUGEINT,
                        read['nth'],
                        read['nth_of_nth'],
                        read['kind'],
                        read['count'],
                        CASE
                            WHEN read['is_plain'] THEN coalesce(read['apple'], 0)
                            ELSE coalesce(read['build'], read['apple'], 0)
                        END
                    ]
            END
        )[1]
    END;
