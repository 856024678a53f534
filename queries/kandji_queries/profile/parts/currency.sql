-- title: Updates
-- description: How current its operating system is, in a sentence.
-- usual: yes
-- most: 1
-- texts: yes
-- needs: os_releases
-- column: says | What
SELECT
    concat_ws(
        ' ',
        coalesce(os || ' ', '') || coalesce(os_version, 'version not known') || coalesce(' ' || version_extra, '') || ':',
        currency
        || CASE
            WHEN currency IN ('behind', 'current of its major', 'beta') AND versions_behind > 0
                THEN ' (' || newest_version || ' is the newest it can run, '
                    || versions_behind || CASE versions_behind WHEN 1 THEN ' version' ELSE ' versions' END || ' and '
                    || days_behind || CASE days_behind WHEN 1 THEN ' day' ELSE ' days' END || ' behind)'
            ELSE ''
        END
        || coalesce(': ' || CASE WHEN currency <> 'beta' THEN why END, '')
        || '.',
        CASE
            WHEN fixes_lacked > 0
                THEN 'It lacks ' || fixes_lacked || CASE fixes_lacked WHEN 1 THEN ' fix' ELSE ' fixes' END
                    || ', ' || exploited_lacked || ' of them exploited.'
        END,
        CASE WHEN NOT model_gets_fixes THEN 'No system that its model can run gets fixes any more.'
            WHEN NOT major_gets_fixes THEN 'Its major version gets no fixes any more.' END
    ) AS says,
    currency,
    newest_version,
    days_behind,
    exploited_lacked
FROM os_currency
WHERE device_id = $device_id AND os IS NOT NULL;
