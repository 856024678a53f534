-- title: The parts of a version text
-- description: A struct of what version_key reads: numbers, then stage with nth (beta 2), kind with count (p1, Update
--   401, SP 2), letter (1.1.1w, a security response in parentheses), build, apple (23B74), and rest, what none of them
--   is, in any script, NULL where nothing is left but words that do not order versions (arm64, LTS). Read as folded()
--   makes the text. All empty where that does not begin with a number, a leading "v" or "version" aside, or has digits
--   other than 0 to 9.
CREATE MACRO version_parts(version) AS
    list_transform(
        list_transform(
            list_transform(
                list_transform(
                    [
                        -- an Apple build that stands alone would else be beta 74 of version 23
                        regexp_replace(version::VARCHAR, '^\s*(\d{2}[A-Z]\d{1,5}[a-z]?)\s*$', '0 (\1)')
                    ],
                    lambda text: CASE
                        WHEN strlen(text) = length(text) THEN lower(text)  -- ASCII
                        -- folding makes 1.5② 1.52, so such numbers are set apart before; ¤ is what no part begins with
                        ELSE regexp_replace(
                            folded(
                                regexp_replace(regexp_replace(text, '[©®™℠]', '', 'g'), '([\p{No}\p{Nl}])', '¤\1', 'g')
                            ),
                            '^.*[^\P{Nd}0-9].*$',
                            ''
                        )
                    END
                ),
                lambda plain: regexp_extract(
                    regexp_replace(
                        -- the processors M1 and A14 are no milestone and no alpha
                        regexp_replace(plain, '([(\[] ?[adm]| m)(\d)', '¤\1\2'),
                        '(_\d+)-b(\d+)',  -- Java: 1.8.0_332-b09 is build 9
                        '\1 (\2)'
                    ),
                    '^\s*(?:version|ver|v|release|r)?[. ]*(\d+(?:\s?[.,_]\s?\d+|-\d+\b)*)(.*)$',
                    ['numbers', 'tail'],
                    's'
                )
            ),
            lambda cut: {
                'numbers': nullif(cut['numbers'], ''),
                'tail': CASE
                    WHEN cut['tail'] <> ''
                        THEN regexp_extract(
                            cut['tail'],
                            -- each word whole, and letters where they belong: Premium and EN are editions
                            '^(?:[-._+~ (\[]*(?:(?:public|open|closed|private|developer|technical|tech) )?'
                            '(dev(?:el(?:op(?:er|ment)?)?)?|snapshot|nightly|canary|insider|alpha|beta|milestone|eap|ea'
                            '|early.access|preview|pre.?release|pre|tp|rc|release.candidate|fc|[dabm]\d+)'
                            '(?:[-._ ]*(\d+)(?:\.(\d+))?|s?\b|_))?'
                            '(?:[-._+~ (]*(?:final|ga|gm|rtm|release|stable|lts|esr)\b)?'
                            '(?:[-._+~ (]*(patch|pl|p|update|upd|u|service.?pack|sp|hotfix|hf|revision|rev|r|post|f)'
                            '[-._ ]*(\d+)|(?:\s?\()?(z?[a-z])\b)?'
                            '(?:[-._+~, (\[#]*(?:build|bld)?[-._ #:]*(\d+)\b'
                            '|[-._+~, (\[]*(?:build )?(\d{1,2}[a-z]\d{1,5}[a-z]?)\b)?(.*)$',
                            ['stage', 'nth', 'nth_of_nth', 'kind', 'count', 'letter', 'build', 'apple', 'rest'],
                            's'
                        )
                END
            }
        ),
        lambda cut: {
            'numbers': cut['numbers'],
            'stage': nullif(cut['tail']['stage'], ''),
            'nth': try_cast(cut['tail']['nth'] AS HUGEINT),
            'nth_of_nth': try_cast(cut['tail']['nth_of_nth'] AS HUGEINT),
            'kind': nullif(cut['tail']['kind'], ''),
            'count': try_cast(cut['tail']['count'] AS HUGEINT),
            'letter': nullif(cut['tail']['letter'], ''),
            'build': try_cast(cut['tail']['build'] AS HUGEINT),
            'apple': nullif(cut['tail']['apple'], ''),
            'rest': nullif(
                regexp_replace(
                    cut['tail']['rest'],
                    'intel|apple silicon|arm64|aarch64|x86[-_]64|x64|amd64|universal|64-?bit|32-?bit'
                    '|for mac|mac ?os|osx|final|stable|lts|esr|release|build|[\p{P}\p{Z}\p{C}$+<=>^`|~]+',
                    '',
                    'g'
                ),
                ''
            )
        }
    )[1];
