-- title: Changes of the last 7 days
-- description: More of them tells the tool changes.
-- usual: yes
-- most: 8
-- column: changed_at | When
-- column: what | What
SELECT changed_at, what
FROM changes_between((now() AT TIME ZONE 'UTC') - INTERVAL 7 DAYS, 'infinity')
WHERE device_id = $device_id
ORDER BY changed_at DESC, thing = 'app', what;
