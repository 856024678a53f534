-- title: Days of a time in words
-- description: Days, with fractions, of a text such as 37 days ago, 1 month ago, an hour ago, or 1 year, 2 months: a month
--   counts 30 days and a year 365, since the words tell no more; just now is 0. NULL for any other text, and for what is
--   to come.
CREATE MACRO days_of(words) AS
    list_transform(
        [regexp_replace(lower(words::VARCHAR), '[\s\x{A0}]+', ' ', 'g')],
        lambda text: CASE
            WHEN regexp_full_match(text, ' ?(?:just )?now ?') THEN 0.0
            WHEN
                regexp_full_match(
                    text,
                    ' ?(?:(?:,|and|, and)? ?(?:\d{1,9}(?:\.\d+)?|an?) '
                    '(?:second|sec|minute|min|hour|hr|day|week|month|year)s? ?)+(?:ago ?)?'
                )
                THEN list_sum(
                    list_transform(
                        regexp_extract_all(text, '(?:[\d.]+|an?) (?:s|mi|h|d|w|mo|y)'),
                        lambda part: coalesce(try_cast(regexp_extract(part, '[\d.]+') AS DOUBLE), 1)
                        * CASE regexp_extract(part, ' (.+)$', 1)
                            WHEN 's' THEN 1 / 86400
                            WHEN 'mi' THEN 1 / 1440
                            WHEN 'h' THEN 1 / 24
                            WHEN 'd' THEN 1
                            WHEN 'w' THEN 7
                            WHEN 'mo' THEN 30
                            ELSE 365
                        END
                    )
                )
        END
    )[1];
