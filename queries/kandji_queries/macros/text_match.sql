-- title: How well a text fits
-- description: 1 where a value is what was asked for, 2 where it contains it, NULL where it does neither or is NULL. Both
--   are compared as folded() makes them: accents, letter case, width, blanks and the shape of an apostrophe (John's,
--   John’s) make no difference.
CREATE MACRO text_match(asked, value) AS
    list_transform(
        [{'asked': folded(asked), 'found': folded(value)}],
        lambda pair: CASE WHEN pair.found = pair.asked THEN 1 WHEN contains(pair.found, pair.asked) THEN 2 END
    )[1];
