-- title: Macs that cannot run a supported macOS
-- description: Macs whose model can run no version of macOS that still gets fixes: the newest that it can run had no
--   release within 180 days. A Mac whose model the feed of releases does not know is listed too, last, with is_known
--   false: very old models have left the feed, and very new ones may not be in it yet. Macs marked missing or removed
--   are listed with these flags.
-- counts: devices
-- for: pictures
-- tells: is_known
-- says: {count|Mac|Macs} that cannot run a supported macOS, or whose model is not known.
-- column: is_known | Whether the feed knows the model.
-- column: model | Marketing name of the model, as the feed has it, else as the device list does.
-- column: last_release_at | Day on which the newest version it can run came out.
SELECT
    c.device_id,
    c.device_name,
    c.serial_number,
    c.model_identifier,
    coalesce(m.marketing_name, d.model) AS model,
    c.os_version,
    c.newest_version,
    max(r.release_date) AS last_release_at,
    c.newest_version IS NOT NULL AS is_known,
    c.exploited_lacked,
    c.blueprint_name,
    d.user_name,
    d.user_email,
    c.last_check_in,
    c.is_missing,
    c.is_removed
FROM os_currency AS c
JOIN devices AS d USING (device_id)
LEFT JOIN device_models AS m USING (model_identifier)
LEFT JOIN os_releases AS r ON r.os = c.os AND r.version = c.newest_version AND r.version_extra IS NULL
WHERE c.platform = 'Mac' AND (NOT c.model_gets_fixes OR c.newest_version IS NULL)
GROUP BY ALL
ORDER BY is_known DESC, last_release_at, c.device_name, c.device_id;
