-- title: Names that need cleaning
-- description: Names of devices, people, departments, blueprints and tags, asset tags and e-mail addresses that are
--   written so that searches and counts go wrong: blanks at the ends or two in a row, characters nobody sees, line
--   breaks, only blanks, or another one that differs in letter case, accents or blanks alone. In shown every blank is a
--   middle dot and every unseen character a box. uses is how many devices, people or entries have the name.
-- param: kind enum(any, device, asset_tag, person, email, department, blueprint, tag) = any | Which names.
-- column: kind | What is called so.
-- column: value | The name as it is.
-- column: shown | The name with its blanks as · and what nobody sees as □.
-- column: findings | What is wrong with it.
-- column: alike | The other names that differ in letter case, accents or blanks alone.
-- column: uses | How many devices, people or entries have the name.
-- column: example_id | Identifier of one of them.
WITH named AS (
    SELECT 'device' AS kind, device_name AS value, device_id AS id FROM devices
    UNION ALL
    SELECT 'asset_tag', asset_tag, device_id FROM devices
    UNION ALL
    SELECT 'person', name, id FROM users
    UNION ALL
    SELECT 'email', email, id FROM users
    UNION ALL
    SELECT 'department', department, id FROM users
    UNION ALL
    SELECT 'blueprint', name, id FROM blueprints
    UNION ALL
    SELECT 'tag', name, id FROM tags
),
counted AS (
    SELECT kind, value, folded(value) AS key, count(*) AS uses, min(id) AS example_id
    FROM named
    WHERE value IS NOT NULL AND ($kind = 'any' OR kind = $kind)
    GROUP BY kind, value
),
compared AS (
    SELECT *, list(value) OVER (PARTITION BY kind, key) AS alike
    FROM counted
),
judged AS (
    SELECT
        * EXCLUDE (alike),
        list_sort(list_filter(alike, lambda other: other <> value AND key <> '')) AS alike,
        list_filter(
            [
                CASE WHEN key = '' THEN 'blank' END,
                CASE WHEN key <> '' AND regexp_matches(value, '^[\s\p{Z}]') THEN 'blank before' END,
                CASE WHEN key <> '' AND regexp_matches(value, '[\s\p{Z}]$') THEN 'blank after' END,
                CASE WHEN key <> '' AND regexp_matches(value, '[^\s\p{Z}][\s\p{Z}]{2,}[^\s\p{Z}]') THEN 'two blanks' END,
                CASE WHEN regexp_matches(value, '[\r\n\t\v\f]') THEN 'line break or tab' END,
                CASE
                    WHEN regexp_matches(replace(value, chr(8205), ''), '[\p{Cf}\x{0}-\x{8}\x{E}-\x{1F}\x{7F}-\x{9F}]')
                        THEN 'unseen character'
                END,
                CASE WHEN key <> '' AND len(alike) > 1 THEN 'written in several ways' END
            ],
            lambda finding: finding IS NOT NULL
        ) AS findings
    FROM compared
)
SELECT
    kind,
    value,
    regexp_replace(regexp_replace(value, '[\s\p{Z}]', '·', 'g'), '[\p{Cc}\p{Cf}]', '□', 'g') AS shown,
    findings,
    alike,
    uses,
    example_id
FROM judged
WHERE len(findings) > 0
ORDER BY kind, key, value;
