-- title: Age of the hardware
-- description: How old each device is by what the provider has, the oldest first, and what tells it. There is no date of
--   purchase or making: by=earliest takes the earliest of the three that it has, the day the device was assigned to the
--   organisation at Apple, its first enrolment, and the end of the year in the name of its model; the others take one of
--   them alone. A device may be older than its enrolment, and younger than its model. Devices of which nothing tells the
--   age are the last, with with_unknown. devices_by_range counts devices by steps of the same. Devices marked missing or
--   removed are listed with these flags.
-- for: pictures
-- counts: devices
-- tells: age_by = not known
-- param: years float = 0 [0, 50] | Only devices that are at least so many years old.
-- param: by enum(earliest, enrolment, apple, model) = earliest | What tells the age.
-- param: with_unknown bool = true | Whether devices of which nothing tells the age are listed too.
-- param: platform enum(any, Mac, iPhone, iPad, AppleTV, Vision, Windows, Android) = any | Which devices.
-- nearest: years=0 years_old
-- column: years_old | Years since the moment that tells the age; empty where nothing tells it.
-- column: age_by | What tells it: assigned at Apple, first enrolment or year of the model.
-- column: model_year | The year in the name of the model.
-- column: assigned_at_apple | When it was first known to be assigned to the organisation at Apple.
WITH assigned AS (
    SELECT a.serial_number, min(a.device_assigned_date) AS assigned_at_apple
    FROM ade_devices AS a
    WHERE a.serial_number IS NOT NULL
    GROUP BY a.serial_number
),
dated AS (
    SELECT
        d.*,
        s.assigned_at_apple,
        try_cast(regexp_extract(coalesce(d.model, i.model_name), '\b(20[0-9]{2})\b', 1) AS INTEGER) AS model_year,
        [
            {'at': s.assigned_at_apple, 'told': 'assigned at Apple', 'by': 'apple'},
            {'at': d.first_enrollment, 'told': 'first enrolment', 'by': 'enrolment'},
            {'at': make_timestamp(model_year, 12, 31, 0, 0, 0), 'told': 'year of the model', 'by': 'model'}
        ] AS moments
    FROM devices AS d
    LEFT JOIN assigned AS s ON s.serial_number = d.serial_number
    LEFT JOIN prism_device_information AS i ON i.device_id = d.device_id
    WHERE $platform = 'any' OR d.platform = $platform
),
judged AS (
    SELECT
        *,
        list_sort(
            list_filter(
                moments,
                lambda moment: moment['at'] IS NOT NULL
                AND moment['at'] <= (now() AT TIME ZONE 'UTC')
                AND ($by = 'earliest' OR moment['by'] = $by)
            )
        )[1] AS chosen,
        date_diff('day', chosen['at'], now() AT TIME ZONE 'UTC') / 365.25 AS exact_years
    FROM dated
)
SELECT
    d.device_id,
    d.device_name,
    d.serial_number,
    d.platform,
    d.model,
    round(d.exact_years, 1) AS years_old,
    d.chosen['told'] AS age_by,
    d.assigned_at_apple,
    d.first_enrollment,
    d.model_year,
    d.os_version,
    d.user_name,
    d.user_email,
    d.blueprint_name,
    d.last_check_in,
    d.is_missing,
    d.is_removed
FROM judged AS d
WHERE coalesce(d.exact_years >= $years, $with_unknown)
ORDER BY d.exact_years DESC NULLS LAST, d.device_name, d.device_id;
