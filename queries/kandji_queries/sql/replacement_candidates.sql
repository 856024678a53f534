-- title: Computers to replace
-- description: Macs and Windows computers that are older than some years or have less free space on their start volume
--   than some percent; is_old and is_full tell which. The provider has no date of purchase: the age is the time since
--   the first enrolment (a computer may be older), or the year in the name of the model (it may be younger), as
--   chosen. Free space is known only where the details were read (free_percent is empty elsewhere); they take one
--   request a device, `kandji-mirror sync device_details` reads them. Computers marked missing or removed have these
--   flags.
-- counts: devices
-- param: years int = 4 [1, 30] | Age in years.
-- param: free_percent int = 10 [0, 100] | Free space in percent.
-- param: age_by enum(enrolment, model, either) = enrolment | What tells the age.
WITH volumes AS (
    SELECT device_id, boot_volume, unnest(from_json(volumes, '["JSON"]')) AS volume
    FROM device_details
),
start_volumes AS (
    SELECT
        device_id,
        max(volume ->> '$.capacity') AS capacity,
        min(volume ->> '$.available') AS available,
        100 - max(try_cast(replace(volume ->> '$.percent_used', '%', '') AS DOUBLE)) AS free_percent
    FROM volumes
    WHERE (volume ->> '$.name') IN (boot_volume, boot_volume || ' - Data')
    GROUP BY device_id
),
computers AS (
    SELECT
        d.*,
        try_cast(regexp_extract(d.model, '\b(20[0-9]{2})\b', 1) AS INTEGER) AS model_year,
        date_diff('day', d.first_enrollment, (now() AT TIME ZONE 'UTC')) / 365.25 AS years_enrolled,
        coalesce(s.capacity, x.total_capacity) AS capacity,
        coalesce(s.available, x.available_capacity) AS available,
        coalesce(
            s.free_percent,
            100 * try_cast(x.available_capacity AS DOUBLE) / nullif(try_cast(x.total_capacity AS DOUBLE), 0)
        ) AS free_percent,
        x.memory
    FROM devices AS d
    LEFT JOIN device_details AS x USING (device_id)
    LEFT JOIN start_volumes AS s USING (device_id)
    WHERE d.platform IN ('Mac', 'Windows')
),
judged AS (
    SELECT
        *,
        coalesce($age_by <> 'model' AND first_enrollment < (now() AT TIME ZONE 'UTC') - to_years($years::INTEGER), false)
            OR coalesce($age_by <> 'enrolment' AND model_year < year((now() AT TIME ZONE 'UTC')) - $years, false) AS is_old,
        free_percent < $free_percent AS is_full
    FROM computers
)
SELECT
    d.device_id,
    d.device_name,
    d.serial_number,
    d.platform,
    d.model,
    d.model_year,
    d.os_version,
    d.first_enrollment,
    round(d.years_enrolled, 1) AS years_enrolled,
    d.is_old,
    round(d.free_percent, 1) AS free_percent,
    d.is_full,
    d.capacity,
    d.available,
    d.memory,
    d.user_name,
    d.user_email,
    d.blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM judged AS d
WHERE d.is_old OR d.is_full
ORDER BY d.first_enrollment NULLS LAST, d.device_name, d.device_id;
