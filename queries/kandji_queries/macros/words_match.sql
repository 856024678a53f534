-- title: Whether a name has the words
-- description: Whether all words of what was asked for are words of a name, in any order, as name_words() makes them:
--   words_match('mueller jorg', 'Jörg Müller'). NULL where there is no name.
CREATE MACRO words_match(asked, name) AS
    list_transform(
        [{'asked': name_words(asked), 'found': name_words(name)}],
        lambda pair: len(pair.asked) > 0 AND list_has_all(pair.found, pair.asked)
    )[1];
