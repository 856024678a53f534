-- title: Days of a time in words
-- description: Days, with fractions, of a text such as 37 days ago, 1 month ago, an hour ago, or 1 year, 2 months: a month
--   counts 30 days and a year 365, since the words tell no more; just now is 0. NULL for any other text, and for what is
--   to come.
CREATE MACRO days_of(words) AS
    CASE
        WHEN
            regexp_full_match(
                lower(words::VARCHAR),
                '\s*(?:(?:(?:,|and|, and)?\s*(?:\d{1,9}(?:\.\d+)?|an?)\s+'
                '(?:second|sec|minute|min|hour|hr|day|week|month|year)s?\s*)+(?:ago\s*)?|(?:just\s+)?now\s*)'
            )
            THEN coalesce(
                list_sum(
                    list_transform(
                        regexp_extract_all(lower(words::VARCHAR), '(?:[\d.]+|an?)\s+(?:s|mi|h|d|w|mo|y)'),
                        lambda part: coalesce(try_cast(regexp_extract(part, '[\d.]+') AS DOUBLE), 1)
                        -- by the last letter of a unit's first ones
                        * CASE part[-1]
                            WHEN 's' THEN 1 / 86400
                            WHEN 'i' THEN 1 / 1440
                            WHEN 'h' THEN 1 / 24
                            WHEN 'd' THEN 1
                            WHEN 'w' THEN 7
                            WHEN 'o' THEN 30
                            ELSE 365
                        END
                    )
                ),
                0
            )
    END;
