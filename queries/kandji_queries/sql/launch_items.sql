-- title: Launch agents and daemons by number of Macs
-- description: Every program that starts by itself, by the path of its property list, the rarest first: on how many
--   Macs it is, and on how many it is loaded. What lies in home folders (of_a_person) has ~ for the folder, so that
--   one agent of many people is one row.
-- counts: devices
-- param: fewer_than int optional [1, 1000000] | Only what is on fewer Macs than this.
-- param: item text optional | Part of the label or path.
-- column: of_a_person | Whether it is in the home folder of a person.
-- column: loaded | Number of Macs on which it is loaded.
-- column: runs | What it runs.
WITH items AS (
    SELECT
        *,
        user_agent_local_user IS NOT NULL OR starts_with(path, '/Users/') AS of_a_person,
        coalesce(program, program_arguments) AS runs
    FROM prism_launch_agents_and_daemons
    WHERE $item IS NULL OR contains(folded(label), folded($item)) OR contains(folded(path), folded($item))
),
counted AS (
    SELECT
        regexp_replace(path, '^/Users/[^/]+', '~') AS path,
        label,
        service_domain,
        true AS of_a_person,
        count(DISTINCT device_id) AS macs,
        count(DISTINCT device_id) FILTER (is_loaded) AS loaded,
        max(runs) AS runs
    FROM items
    WHERE of_a_person
    GROUP BY ALL
    UNION ALL
    -- of these a Mac has one row a path
    SELECT path, label, service_domain, false, count(*), count(*) FILTER (is_loaded), max(runs)
    FROM items
    WHERE NOT of_a_person
    GROUP BY ALL
)
SELECT path, label, service_domain, of_a_person, macs, loaded, runs
FROM counted
WHERE $fewer_than IS NULL OR macs < $fewer_than
ORDER BY macs, path, label, service_domain, of_a_person;
