-- title: Bytes of an amount
-- description: Bytes, a whole number, of a text such as 228.27 GB, 1,024 MB, 1.5 TB or 16 GB LPDDR5. K, M, G, T and P are
--   steps of 1024, as computers count; bytes_of(text, base := 1000) for what is counted as on the box. KiB, MiB and so on
--   are always 1024. A text without a unit needs one: bytes_of('486061', unit := 'MB'). NULL for any other text: nothing
--   is guessed.
CREATE MACRO bytes_of(amount, base := 1024, unit := '') AS
    list_transform(
        list_transform(
            [
                regexp_extract(
                    replace(amount::VARCHAR, chr(160), ' '),  -- a no-break space is a blank too
                    -- no sign, digits by thousands or not
                    '^\s*(\d+(?:\.\d+)?|\d{1,3}(?:,\d{3})+(?:\.\d+)?)\s*(?:((?:[KMGTP]I?)?B)(?:YTES?)?([\s,(].*)?)?$',
                    ['number', 'unit', 'rest'],
                    'is'
                )
            ],
            -- of two amounts in one text nobody knows which is meant
            lambda read: CASE
                WHEN NOT regexp_matches(read['rest'], '\d\s*[kmgtp]?i?b', 'i')
                    THEN {'number': replace(read['number'], ',', ''), 'unit': upper(nullif(concat(read['unit'], CASE WHEN read['unit'] = '' THEN unit END), '')) }
            END
        ),
        lambda read: try_cast(
            round(
                try_cast(read['number'] AS DOUBLE)
                * CASE WHEN read['unit'][2] = 'I' THEN 1024 ELSE base END ** (instr('BKMGTP', read['unit'][1]) - 1)
            ) AS BIGINT
        )
    )[1];
