-- title: Percent of a text
-- description: The number of a text such as 9% or 91.5 %, from 0 to 100. NULL for any other text.
CREATE MACRO percent_of(share) AS
    try_cast(
        regexp_extract(
            share::VARCHAR,
            '^[\s\x{A0}]*((?:\d{1,2}(?:\.\d+)?)|100(?:\.0+)?)[\s\x{A0}\x{202F}]*%[\s\x{A0}]*$',
            1
        ) AS DOUBLE
    );
