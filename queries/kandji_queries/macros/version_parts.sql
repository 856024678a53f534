-- title: The parts of a version text
-- description: A struct of what version_key reads: numbers, then stage with nth (beta 2), kind with count (p1, Update
--   401, SP 2), letter (1.1.1w, a security response in parentheses), build, apple (23B74), and rest, what none of them
--   is, NULL where nothing is left but words that do not order versions (arm64, LTS). All empty where the text does not
--   begin with a number, a leading "v" or "version" aside.
CREATE MACRO version_parts(version) AS
    list_transform(
        list_transform(
            [
                regexp_extract(
                    regexp_replace(
                        lower(
                            -- an Apple build that stands alone would else be beta 74 of version 23
                            regexp_replace(version::VARCHAR, '^\s*(\d{2}[A-Z]\d{1,5}[a-z]?)\s*$', '0 (\1)')
                        ),
                        '(_\d+)-b(\d+)',  -- Java: 1.8.0_332-b09 is build 9
                        '\1 (\2)'
                    ),
                    '^\s*(?:version|ver|v|release|r)?[. ]*(\d+(?:\s?[.,_]\s?\d+|-\d+\b)*)(.*)$',
                    ['numbers', 'tail'],
                    's'
                )
            ],
            lambda cut: {
                'numbers': cut['numbers'],
                'tail': CASE
                    WHEN cut['tail'] <> ''
                        THEN regexp_extract(
                            cut['tail'],
                            '^(?:[-._+~ (\[]*(?:(?:public|open|closed|private|developer|technical|tech) )?'
                            '(dev|snapshot|nightly|canary|insider|alpha|beta|milestone|eap|ea\b|early.access|preview'
                            '|pre|tp|rc|release.candidate|fc|[dabm]\d+)[a-z]*[-._ ]*(\d*)\.?(\d*))?'
                            '(?:[-._+~ (]*(?:final|ga|gm|rtm|release|stable|lts|esr)\b)?'
                            '(?:[-._+~ (]*(patch|pl|p|update|upd|u|service.?pack|sp|hotfix|hf|revision|rev|r|post|f)'
                            '[-._ ]*(\d+)|\s?\(?([a-z]{1,2})\b)?'
                            '(?:[-._+~, (\[#]*(?:build|bld)?[-._ #:]*(\d+)\b'
                            '|[-._+~, (\[]*(?:build )?(\d{1,2}[a-z]\d{1,5}[a-z]?)\b)?(.*)$',
                            ['stage', 'nth', 'nth_of_nth', 'kind', 'count', 'letter', 'build', 'apple', 'rest'],
                            's'
                        )
                    END
            }
        ),
        lambda cut: {
            'numbers': nullif(cut['numbers'], ''),
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
                    '\+.*|intel|apple silicon|arm64|aarch64|x86[-_]64|x64|amd64|universal|64-?bit|32-?bit'
                    '|for mac|mac ?os|osx|final|stable|lts|esr|release|build|[^a-z0-9]+',
                    '',
                    'g'
                ),
                ''
            )
        }
    )[1];
