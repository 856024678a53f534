-- title: Devices by last contact, month of enrolment, age, disk or memory
-- description: How many devices are in each step of an attribute, the steps in their order and empty ones between them
--   included. last_check_in is in days; enrolled_month is that of the first enrolment; years_enrolled the time since
--   then, for the provider has no date of purchase; model_year the year in the name of the model; disk_used how full
--   the start volume is, in percent; memory is in GB of 2^30 bytes; uptime in days since the last start. Of disk,
--   memory and uptime only the details tell, one request a device. Devices of which it is not known are one row, the
--   last. Devices marked missing or removed are counted, and shown beside.
-- counts: devices
-- for: pictures
-- param: attribute enum(last_check_in, enrolled_month, years_enrolled, model_year, disk_used, memory, uptime) =
--   last_check_in | By what.
-- param: platform enum(any, Mac, iPhone, iPad, AppleTV, Vision, Windows, Android) = any | Which devices.
-- param: blueprint text optional | Name or identifier of a blueprint, such as Engineering.
-- chart: bar x=step y=devices unit=devices top=40
-- says: {sum devices|device|devices}; the largest step is "{top step by devices}" with {max devices}.
-- column: step | Step of the attribute; never or unknown where it is not known.
WITH utc AS (SELECT now() AT TIME ZONE 'UTC' AS moment),
measured AS (
    SELECT
        d.device_id,
        d.is_missing,
        d.is_removed,
        CASE $attribute
            WHEN 'last_check_in' THEN epoch(utc.moment - d.last_check_in) / 86400
            WHEN 'enrolled_month' THEN year(d.first_enrollment) * 12 + month(d.first_enrollment) - 1
            WHEN 'years_enrolled' THEN epoch(utc.moment - d.first_enrollment) / 86400 / 365.25
            WHEN 'model_year' THEN try_cast(regexp_extract(coalesce(d.model, x.model_name), '\b(20[0-9]{2})\b', 1) AS INTEGER)
            WHEN 'disk_used' THEN 100 - x.disk_free_percent
            WHEN 'memory' THEN x.memory_bytes / 1073741824
            WHEN 'uptime' THEN x.uptime_days
        END AS measure
    FROM devices AS d
    CROSS JOIN utc
    LEFT JOIN device_details AS x USING (device_id)
    WHERE
        ($platform = 'any' OR d.platform = $platform)
        AND ($blueprint IS NULL OR folded(d.blueprint_name) = folded($blueprint) OR d.blueprint_id = $blueprint)
),
-- each step begins with its measure, included, and ends where the next one begins
fixed AS (
    FROM (
        VALUES
            ('last_check_in', '-infinity'::DOUBLE, 'within a day'),
            ('last_check_in', 1, '1 to 7 days ago'),
            ('last_check_in', 7, '7 to 14 days ago'),
            ('last_check_in', 14, '14 to 30 days ago'),
            ('last_check_in', 30, '30 to 90 days ago'),
            ('last_check_in', 90, 'longer ago'),
            ('years_enrolled', '-infinity', 'under 1 year'),
            ('years_enrolled', 1, '1 to 2 years'),
            ('years_enrolled', 2, '2 to 3 years'),
            ('years_enrolled', 3, '3 to 4 years'),
            ('years_enrolled', 4, '4 to 5 years'),
            ('years_enrolled', 5, '5 years and more'),
            ('disk_used', '-infinity', 'under 50 %'),
            ('disk_used', 50, '50 to 70 %'),
            ('disk_used', 70, '70 to 80 %'),
            ('disk_used', 80, '80 to 90 %'),
            ('disk_used', 90, '90 to 95 %'),
            ('disk_used', 95, '95 % and more'),
            ('memory', '-infinity', 'under 8 GB'),
            ('memory', 8, '8 to 16 GB'),
            ('memory', 16, '16 to 32 GB'),
            ('memory', 32, '32 to 64 GB'),
            ('memory', 64, '64 GB and more'),
            ('uptime', '-infinity', 'under a day'),
            ('uptime', 1, '1 to 7 days'),
            ('uptime', 7, '7 to 14 days'),
            ('uptime', 14, '14 to 30 days'),
            ('uptime', 30, '30 to 90 days'),
            ('uptime', 90, '90 days and more')
    ) AS f(attribute, begins, step)
    WHERE attribute = $attribute AND EXISTS (FROM measured)
),
-- months and years follow one another; of a date long before the others no empty steps lead to it
following AS (
    SELECT DISTINCT unnest(
        list_distinct(list(measure::BIGINT))
        || generate_series(
            greatest(min(measure)::BIGINT, max(measure)::BIGINT - CASE $attribute WHEN 'model_year' THEN 15 ELSE 119 END),
            max(measure)::BIGINT
        )
    ) AS begins
    FROM measured
    WHERE $attribute IN ('enrolled_month', 'model_year') AND measure IS NOT NULL
),
steps AS (
    SELECT begins, coalesce(lead(begins) OVER (ORDER BY begins), 'infinity'::DOUBLE) AS ends, step
    FROM (
        SELECT begins, step FROM fixed
        UNION ALL
        SELECT
            begins,
            CASE WHEN $attribute = 'model_year' THEN begins::VARCHAR
                ELSE format('{:04d}-{:02d}', begins // 12, begins % 12 + 1) END
        FROM following
    )
)
SELECT
    coalesce(s.step, CASE $attribute WHEN 'last_check_in' THEN 'never' ELSE 'unknown' END) AS step,
    count(m.device_id) AS devices,
    round(100.0 * count(m.device_id) / sum(count(m.device_id)) OVER (), 1) AS percent,
    count(m.device_id) FILTER (m.is_missing) AS missing,
    count(m.device_id) FILTER (m.is_removed) AS removed
FROM measured AS m
FULL JOIN steps AS s ON m.measure >= s.begins AND m.measure < s.ends
GROUP BY s.begins, s.step
ORDER BY s.begins NULLS LAST;
