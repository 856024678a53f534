-- title: Apps on few devices, or not on a list
-- description: Apps installed on fewer devices than a number, the rarest first. With a list of allowed apps, every app
--   that is not on it is listed as well, however common; allowed is empty where no list was given. serial_numbers are
--   those of all devices that have a rare app; of the common ones devices_with_app tells the devices. What
--   lies inside another app, as helpers do, is listed like one.
-- counts: devices
-- param: fewer_than int = 3 [1, 1000000] | Apps on fewer devices than this are rare.
-- param: allowed text optional | Names or bundle identifiers that are allowed, whole, with commas between.
-- nearest: fewer_than=1000000 devices
-- column: rare | Whether it is on fewer devices than asked for.
-- column: allowed | Whether it is on the list of allowed apps; empty without one.
-- column: serial_numbers | Serial numbers of the devices that have it, where it is rare.
WITH counted AS (
    SELECT
        name,
        bundle_id,
        count(*) AS copies,
        min(path) IS NOT DISTINCT FROM max(path) AND count(path) IN (0, count(*)) AS at_one_path
    FROM apps
    GROUP BY ALL
),
-- a device has an app at one path once, so only those at several paths need their devices told apart, which is slow
scattered AS (
    SELECT c.name, c.bundle_id, count(DISTINCT a.device_id) AS devices
    FROM counted AS c
    JOIN apps AS a ON a.name IS NOT DISTINCT FROM c.name AND a.bundle_id IS NOT DISTINCT FROM c.bundle_id
    WHERE NOT c.at_one_path
    GROUP BY ALL
),
judged AS (
    SELECT
        c.name,
        c.bundle_id,
        coalesce(s.devices, c.copies) AS devices,
        coalesce(s.devices, c.copies) < $fewer_than AS rare,
        CASE
            WHEN $allowed IS NOT NULL THEN
                list_has_any(
                    list_transform(string_split($allowed, ','), lambda word: folded(word)),
                    [folded(c.name), folded(c.bundle_id)]
                )
        END AS allowed
    FROM counted AS c
    LEFT JOIN scattered AS s ON s.name IS NOT DISTINCT FROM c.name AND s.bundle_id IS NOT DISTINCT FROM c.bundle_id
),
holders AS (
    SELECT j.name, j.bundle_id, list(DISTINCT a.serial_number ORDER BY a.serial_number) AS serial_numbers
    FROM judged AS j
    JOIN apps AS a ON a.name IS NOT DISTINCT FROM j.name AND a.bundle_id IS NOT DISTINCT FROM j.bundle_id
    WHERE j.rare
    GROUP BY ALL
)
SELECT j.name AS app, j.bundle_id, j.devices, j.rare, j.allowed, h.serial_numbers
FROM judged AS j
LEFT JOIN holders AS h ON h.name IS NOT DISTINCT FROM j.name AND h.bundle_id IS NOT DISTINCT FROM j.bundle_id
WHERE j.rare OR NOT j.allowed
ORDER BY j.devices, app, j.bundle_id;
