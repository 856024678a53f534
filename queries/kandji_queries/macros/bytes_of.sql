-- title: Bytes of an amount
-- description: Bytes, a whole number, of a text such as 228.27 GB, 1,024 MB, 1.5 TB or 16 GB LPDDR5. K, M, G, T and P are
--   steps of 1024, as computers count; bytes_of(text, base := 1000) for what is counted as on the box. KiB, MiB and so on
--   are always 1024. A text without a unit needs one: bytes_of('486061', unit := 'MB'). NULL for any other text: nothing
--   is guessed.
CREATE MACRO bytes_of(amount, base := 1024, unit := '') AS
    list_transform(
        [
            regexp_extract(
                -- a no-break space is a blank too
                replace(amount::VARCHAR, chr(160), ' ')
                || CASE WHEN regexp_full_match(amount::VARCHAR, '\s*[\d.,]+\s*') THEN unit ELSE '' END,
                -- no sign; digits by thousands or not
                '^\s*(\d+(?:\.\d+)?|\d{1,3}(?:,\d{3})+(?:\.\d+)?)\s*(?:([KMGTP])(I?))?B(?:YTES?)?((?:[\s,(].*)?)$',
                ['number', 'step', 'binary', 'rest'],
                'is'
            )
        ],
        lambda read: CASE
            -- of two amounts in one text nobody knows which is meant
            WHEN NOT regexp_matches(read['rest'], '\d\s*[kmgtp]?i?b', 'i')
                THEN try_cast(
                    round(
                        try_cast(replace(read['number'], ',', '') AS DOUBLE)
                        * CASE read['binary'] WHEN '' THEN base ELSE 1024 END
                        -- a text without a step is found at 1
                        ** (instr('BKMGTP', upper(read['step'])) - 1)
                    ) AS BIGINT
                )
        END
    )[1];
