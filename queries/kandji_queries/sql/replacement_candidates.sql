-- title: Computers to replace
-- description: Macs and Windows computers that are older than some years or have less free space on their start volume
--   than some percent; is_old and is_full tell which. The provider has no date of purchase: the age is the time since
--   the first enrolment (a computer may be older), or the year in the name of the model (it may be younger), as
--   chosen. Free space is known only where the details were read (free_percent is empty elsewhere); they take one
--   request a device, `kandji-mirror sync device_details` reads them. Computers marked missing or removed have these
--   flags.
-- counts: devices
-- tells: is_old, is_full
-- param: years int = 4 [1, 30] | Age in years.
-- param: free_percent int = 10 [0, 100] | Free space in percent.
-- param: age_by enum(enrolment, model, either) = enrolment | What tells the age.
-- beyond: age_by=either model_year
-- column: model_year | The year in the name of the model.
-- column: years_enrolled | Years since the first enrolment.
-- column: is_old | Whether it is older than asked for.
-- column: free_percent | Free space of the start volume, in percent.
-- column: is_full | Whether less is free than asked for.
-- column: capacity | Size of the start volume, as the device says it.
-- column: available | Free space of the start volume, as the device says it.
WITH computers AS (
    SELECT
        d.*,
        try_cast(regexp_extract(d.model, '\b(20[0-9]{2})\b', 1) AS INTEGER) AS model_year,
        date_diff('day', d.first_enrollment, (now() AT TIME ZONE 'UTC')) / 365.25 AS years_enrolled,
        coalesce(start_volume(x.volumes, x.boot_volume)['capacity'], x.total_capacity) AS capacity,
        coalesce(start_volume(x.volumes, x.boot_volume)['available'], x.available_capacity) AS available,
        x.disk_total_bytes,
        x.disk_free_bytes,
        x.disk_free_percent AS free_percent,
        coalesce(x.memory, x.total_ram) AS memory,
        x.memory_bytes
    FROM devices AS d
    LEFT JOIN device_details AS x USING (device_id)
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
    d.free_percent,
    d.is_full,
    d.disk_total_bytes,
    d.disk_free_bytes,
    d.memory_bytes,
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
