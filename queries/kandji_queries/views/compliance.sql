-- title: Compliance, one row a device and rule
-- key: device_id, rule
-- description: Whether each device meets each rule of compliance that is for its platform: pass, fail or unknown, and
--   why. Unknown is neither: the value is NULL, there is no row of the device, it was reported too long ago, or the
--   table could not be read. Removed and missing devices have rows too. The rules are data; compliance.toml in the
--   data directory, or the file of KANDJI_MIRROR_COMPLIANCE_FILE, replaces the built-in ones.
-- column: rule | Name of the rule.
-- column: title | What the rule asks, true of a device that passes.
-- column: severity | How bad a failure is: high, medium or low in the built-in rules.
-- column: result | pass, fail or unknown.
-- column: reason | Why, in plain words.
-- column: input | The value or values that decided, as text.
-- column: input_table | The table they are from.
-- column: input_collected_at | When the device reported them: last_collected_at in Prism, last_check_in in devices; for
--   other tables when the mirror read them.
-- column: input_age_hours | Hours since then at the moment of the query.
-- column: input_synced_at | When the mirror last read that table.
-- ask: Which devices fail which rule, and why | SELECT device_name, serial_number, rule, reason FROM compliance WHERE
--   result = 'fail' ORDER BY ALL
-- ask: How each rule stands | SELECT rule, result, count(*) AS devices FROM compliance GROUP BY ALL ORDER BY ALL
WITH found AS (
    -- of several rows the worst decides, the first one in order of its value
    SELECT
        position,
        device_id,
        count(*) AS rows_found,
        count(*) FILTER (WHERE NOT holds) AS rows_failing,
        CASE WHEN bool_or(NOT holds) THEN false WHEN count(holds) = count(*) THEN true END AS holds,
        first(input ORDER BY coalesce(holds::INTEGER * 2, 1), input) AS input,
        CASE WHEN count(reported_at) = count(*) THEN min(reported_at) END AS reported_at
    FROM internal.rule_inputs
    GROUP BY position, device_id
),
facts AS (
    SELECT
        d.device_id, d.device_name, d.serial_number, d.platform,
        r.*,
        f.* EXCLUDE (position, device_id),
        s.state, s.synced_at,
        epoch((now() AT TIME ZONE 'UTC') - f.reported_at) AS age
    FROM devices AS d
    JOIN internal.rules AS r ON r.platforms IS NULL OR list_contains(r.platforms, d.platform)
    LEFT JOIN found AS f ON f.position = r.position AND f.device_id = d.device_id
    LEFT JOIN internal.table_states AS s ON s.table_name = r.input_table
),
judged AS (
    SELECT
        *,
        CASE
            WHEN lacking IS NOT NULL THEN lacking
            WHEN state IN ('never synced', 'no permission', 'not offered') THEN input_table || ': ' || state
            WHEN rows_found IS NULL THEN 'no row in ' || input_table
            WHEN max_seconds IS NOT NULL AND age IS NULL THEN 'it is not known when this was reported'
            WHEN age > max_seconds THEN
                'reported '
                || CASE
                    WHEN age >= 172800 THEN floor(age / 86400)::BIGINT || ' days'
                    WHEN age >= 7200 THEN floor(age / 3600)::BIGINT || ' hours'
                    ELSE floor(age / 60)::BIGINT || ' minutes'
                END
                || ' ago, older than ' || max_age
            WHEN holds IS NULL THEN input_columns || ' is not known'
        END AS doubt
    FROM facts
)
SELECT
    device_id,
    device_name,
    serial_number,
    platform,
    rule,
    title,
    severity,
    CASE WHEN doubt IS NOT NULL THEN 'unknown' WHEN holds THEN 'pass' ELSE 'fail' END AS result,
    CASE
        WHEN doubt IS NOT NULL THEN doubt
        WHEN holds THEN title
        WHEN rows_found > 1 THEN rows_failing || ' of ' || rows_found || ' rows: ' || fails
        ELSE fails
    END AS reason,
    input,
    input_table,
    reported_at AS input_collected_at,
    age / 3600 AS input_age_hours,
    synced_at AS input_synced_at
FROM judged;
