-- title: The words of a name
-- description: The words of a text as folded() makes them, without apostrophes, hyphens and other marks, and with ae, oe
--   and ue as a, o and u: Müller is written Mueller too. name_words('O’Brien-Müller, Zoë') is [obrien, muller, zoe].
CREATE MACRO name_words(text) AS
    list_filter(
        string_split(
            regexp_replace(
                regexp_replace(replace(folded(text), '''', ''), '[^\pL\pN]+', ' ', 'g'), '([aou])e', '\1', 'g'
            ),
            ' '
        ),
        lambda word: word <> ''
    );
