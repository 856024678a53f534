-- title: The place of an Apple OS version among all
-- description: A number that sorts versions of macOS, iOS and iPadOS: os_place('26.3.1') < os_place('26.3.2'), with the
--   letter of a security response after its version, os_place('26.3.1', '(a)'). One less than that of a version is left
--   for its betas. Reads 26.3 and 26.3.0 alike, also with a name before or something in parentheses after. NULL for
--   NULL and for a text that is no such version. For all other versions there is version_key().
CREATE MACRO os_place(version, extra := NULL) AS
    list_transform(
        [
            regexp_extract(
                version::VARCHAR,
                '^\s*(?:[A-Za-z ]* )?(\d{1,3})(?:\.(\d{1,3}))?(?:\.(\d{1,3}))?(?:\.(\d{1,3}))?(?:\s*[( ].*)?\s*$',
                ['first', 'second', 'third', 'fourth']
            )
        ],
        lambda part: (
            try_cast(part['first'] AS BIGINT) * 1000000000
            + coalesce(try_cast(part['second'] AS BIGINT), 0) * 1000000
            + coalesce(try_cast(part['third'] AS BIGINT), 0) * 1000
            + coalesce(try_cast(part['fourth'] AS BIGINT), 0)
        ) * 32
        + coalesce(unicode(nullif(regexp_extract(extra::VARCHAR, '^\s*\(?([a-z])\)?\s*$', 1), '')) - 96, 0)
    )[1];
