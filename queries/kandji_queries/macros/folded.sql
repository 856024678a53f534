-- title: A text as a search compares it
-- description: A text in small letters without accents, in the plain form of each character (full width, ligatures, ß as
--   ss, ø as o), with one kind of apostrophe, quotation mark, dash and blank, without what nobody sees and without blanks
--   around. Fold both sides: contains(folded(device_name), folded('zoe''s macbook')) finds Zoë’s MacBook.
CREATE MACRO folded(text) AS
    CASE
        -- nearly all texts are plain, and each step below is for fewer than the one before
        WHEN regexp_full_match(text::VARCHAR, '[!-_a-~]+(?: [!-_a-~]+)*') THEN lower(text::VARCHAR)
        ELSE list_transform(
            list_transform(
                list_transform(
                    [
                        lower(
                            strip_accents(
                                regexp_replace(
                                    regexp_replace(text::VARCHAR, '[{{blanks}}]', ' ', 'g'), '[{{unseen}}]', '', 'g'
                                )
                            )
                        )
                    ],
                    lambda bare: CASE
                        WHEN regexp_matches(bare, '[{{any_common}}]')
                            THEN replace(
                                replace(
                                    replace(
                                        replace(translate(bare, '{{common}}', '{{common_plain}}'), 'æ', 'ae'), 'œ', 'oe'
                                    ),
                                    'ß',
                                    'ss'
                                ),
                                'þ',
                                'th'
                            )
                        ELSE bare
                    END
                ),
                lambda known: CASE
                    WHEN regexp_matches(known, '[{{any_rare}}]')
                        THEN nfc_normalize(
                            array_to_string(
                                list_transform(
                                    regexp_extract_all(known, '[{{any_rare}}]|[^{{any_rare}}]+'),
                                    lambda part: coalesce(
                                        string_split('{{rare_plain}}', chr(10))[
                                            list_position(string_split('{{rare}}', ' ')::INTEGER[], unicode(part))
                                        ],
                                        part
                                    )
                                ),
                                ''
                            )
                        )
                    ELSE known
                END
            ),
            lambda plain: trim(CASE WHEN contains(plain, '  ') THEN regexp_replace(plain, ' +', ' ', 'g') ELSE plain END)
        )[1]
    END;
