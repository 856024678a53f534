-- title: A text as a search compares it
-- description: A text in small letters without accents, in the plain form of each character (full width, ligatures, ß as
--   ss, ø as o), with one kind of apostrophe, quotation mark, dash and blank, without what nobody sees and without blanks
--   around. Fold both sides: contains(folded(device_name), folded('zoe''s macbook')) finds Zoë’s MacBook.
CREATE MACRO folded(text) AS
    CASE
        -- nearly all texts are plain, and the rest takes ten times as long
        WHEN regexp_full_match(text::VARCHAR, '[!-_a-~]+(?: [!-_a-~]+)*') THEN lower(text::VARCHAR)
        ELSE list_transform(
            [
                replace(
                    replace(
                        replace(
                            replace(
                                translate(
                                    lower(
                                        strip_accents(
                                            regexp_replace(
                                                regexp_replace(text::VARCHAR, '[{{blanks}}]', ' ', 'g'),
                                                '[{{unseen}}]',
                                                '',
                                                'g'
                                            )
                                        )
                                    ),
                                    '{{common}}',
                                    '{{common_plain}}'
                                ),
                                'æ',
                                'ae'
                            ),
                            'œ',
                            'oe'
                        ),
                        'ß',
                        'ss'
                    ),
                    'þ',
                    'th'
                )
            ],
            lambda known: trim(
                regexp_replace(
                    CASE
                        WHEN regexp_matches(known, '[{{any_rare}}]')
                            THEN nfc_normalize(
                                array_to_string(
                                    list_transform(
                                        -- characters, where string_split() would give what looks like one
                                        regexp_extract_all(known, '(?s).'),
                                        lambda one: CASE
                                            WHEN one < chr(128) THEN one
                                            ELSE coalesce(
                                                string_split('{{rare_plain}}', chr(10))[nullif(instr('{{rare}}', one), 0)],
                                                one
                                            )
                                        END
                                    ),
                                    ''
                                )
                            )
                        ELSE known
                    END,
                    ' +',
                    ' ',
                    'g'
                )
            )
        )[1]
    END;
