-- title: Share of encrypted Macs by blueprint
-- description: For each blueprint on how many of its Macs FileVault is on, off, or not known (nothing reported), and how
--   many percent of all its Macs are known to be encrypted; and where it is on, of how many the recovery key is
--   escrowed. Macs without a blueprint are (no blueprint). Macs marked missing or removed are counted, and shown beside.
-- counts: devices
-- chart: stacked x=blueprint y=filevault_on,filevault_off,unknown unit=devices
-- says: FileVault is on for {sum filevault_on} of {sum macs|Mac|Macs} ({share filevault_on of macs}), off for
--   {sum filevault_off} and not known for {sum unknown}.
-- column: filevault_on | On how many of the Macs FileVault is on.
-- column: filevault_off | On how many it is off.
-- column: percent_on | Percent of all the Macs on which FileVault is known to be on.
-- column: key_escrowed | Of how many of those on the recovery key is escrowed.
-- leads: macs to fleet(blueprint_id=blueprint_id, platform='Mac')
-- leads: filevault_on to fleet(blueprint_id=blueprint_id, platform='Mac', filevault_on='true')
-- leads: filevault_off to fleet(blueprint_id=blueprint_id, platform='Mac', filevault_on='false')
-- leads: unknown to fleet(blueprint_id=blueprint_id, platform='Mac', filevault_on=?)
SELECT
    coalesce(d.blueprint_name, '(no blueprint)') AS blueprint,
    count(*) AS macs,
    count(*) FILTER (f.status) AS filevault_on,
    count(*) FILTER (NOT f.status) AS filevault_off,
    count(*) FILTER (f.status IS NULL) AS unknown,
    round(100.0 * count(*) FILTER (f.status) / count(*), 1) AS percent_on,
    count(*) FILTER (f.status AND f.key_escrowed) AS key_escrowed,
    count(*) FILTER (d.is_missing) AS missing,
    count(*) FILTER (d.is_removed) AS removed,
    d.blueprint_id
FROM devices AS d
LEFT JOIN prism_filevault AS f USING (device_id)
WHERE d.platform = 'Mac'
GROUP BY d.blueprint_id, d.blueprint_name
ORDER BY percent_on, blueprint, d.blueprint_id;
