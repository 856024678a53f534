-- title: Parameters that fail most
-- description: Parameters with errors or warnings, those on most Macs first; optionally of one blueprint only, by its
--   whole name in any letter case or its identifier. remediated is on how many Macs the parameter was wrong and was
--   put right; macs is on how many it is at all. Only Macs whose status was read count: it takes one request a Mac,
--   `kandji-mirror sync device_parameters` reads them all.
-- counts: devices
-- param: blueprint text optional | Name or identifier of a blueprint, such as Engineering.
-- chart: stacked x=parameter y=errors,warnings unit=devices
-- says: {count|parameter fails|parameters fail}; {first parameter} on most Macs: {first errors|error|errors}, {first
--   warnings|warning|warnings}.
-- column: errors | Number of Macs with an error.
-- column: warnings | Number of Macs with a warning.
-- column: remediated | Number of Macs on which it was wrong and put right.
SELECT
    p.name AS parameter,
    p.category,
    p.subcategory,
    count(*) FILTER (upper(p.status) = 'ERROR') AS errors,
    count(*) FILTER (upper(p.status) = 'WARNING') AS warnings,
    count(*) FILTER (upper(p.status) = 'REMEDIATED') AS remediated,
    count(*) AS macs,
    p.item_id
FROM device_parameters AS p
LEFT JOIN devices AS d USING (device_id)
WHERE $blueprint IS NULL OR folded(d.blueprint_name) = folded($blueprint) OR d.blueprint_id = $blueprint
GROUP BY p.item_id, p.name, p.category, p.subcategory
HAVING errors > 0 OR warnings > 0
ORDER BY errors DESC, warnings DESC, parameter, p.category, p.subcategory, p.item_id;
