-- title: Version order
-- description: A key that sorts version texts the way people mean them: 7.9 = 7.9.0 < 7.10; dev, alpha, beta, preview
--   and release candidates, in this order, before their release; builds in parentheses or after a plus ignored; a
--   leading "v" tolerated. NULL for NULL and for a text that does not begin with a number. Compare keys with keys only.
CREATE MACRO version_key(version) AS
    list_transform(
        [
            regexp_extract(
                lower(version::VARCHAR),
                '^\s*(?:version|v)?[. ]*(\d+(?:\.\d+)*)(?:[-._ ]*(dev|snapshot|nightly|alpha|beta|pre|rc|[ab]\d+)[a-z]*)?[-._ ]*(\d*)',
                ['numbers', 'stage', 'nth']
            )
        ],
        lambda part:
            -- part['...'] and not part....: the dot is taken for a column after GROUP BY (HAVING)
            -- the numbers, padded to ten so that 7.9 equals 7.9.0
            list_resize(TRY(string_split(nullif(part['numbers'], ''), '.')::HUGEINT[]), 10, 0::HUGEINT)
            -- the stage: 0 for a release, below it by its first letter in the order of this text
            || CASE part['stage']
               WHEN '' THEN [0::HUGEINT, 0]
               ELSE [
                   instr('dsnabpr', part['stage'][1]) - 9::HUGEINT,
                   coalesce(try_cast(part['stage'][2:] AS HUGEINT), try_cast(part['nth'] AS HUGEINT), 0)
               ]
               END
    )[1];
