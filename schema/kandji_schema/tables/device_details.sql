-- step: start
start_volume(volumes, boot_volume)

-- step: base
CASE WHEN volumes IS NULL THEN 1024 ELSE box_base(model_identifier, boot_volume) END

-- step: unit
CASE
    WHEN volumes IS NOT NULL THEN ''
    WHEN coalesce(windows_device_id, processor_architecture, os_edition, bios_version) IS NOT NULL THEN 'MB'
    WHEN coalesce(api_level, security_patch_level, management_mode, encryption_status) IS NOT NULL THEN 'GB'
END

-- step: total
bytes_of(coalesce(start['capacity'], total_capacity), base := coalesce(base, 1024), unit := coalesce(unit, 'MB'))

-- step: free
bytes_of(coalesce(start['available'], available_capacity), base := coalesce(base, 1024), unit := coalesce(unit, 'MB'))

-- column: disk_total_bytes BIGINT | Size of the disk, the capacity of its storage, in bytes: of Apple devices of the
--   volume they run from, of Windows and Android total_capacity. NULL where it is not said or cannot be read.
CASE WHEN base IS NOT NULL AND unit IS NOT NULL THEN total END

-- column: disk_free_bytes BIGINT | Free disk space in bytes, of the same volume, as of when the details were read; never
--   the sum of several, since volumes of one container share their room.
CASE WHEN base IS NOT NULL AND unit IS NOT NULL THEN free END

-- column: disk_free_percent DOUBLE | Free disk space in percent of the disk's size, 0 to 100, one decimal.
coalesce(
    CASE WHEN free <= total THEN round(100.0 * free / nullif(total, 0), 1) END,
    100 - percent_of(start['percent_used'])
)

-- column: memory_bytes BIGINT | Memory (RAM) in bytes, of Macs, Windows and Android: 16 GB are 17179869184. iPhones,
--   iPads and Apple TVs do not say.
bytes_of(coalesce(memory, total_ram), unit := coalesce(unit, ''))

-- column: uptime_days DOUBLE | Mac: uptime, days since the last start (boot, restart), of time_since_boot, as of when the
--   details were read; not exact, since the provider rounds: a month counts 30 days.
round(days_of(time_since_boot), 2)

-- column: processor VARCHAR | Processor (CPU) of a Mac, architecture of a Windows computer.
coalesce(processor_name, processor_architecture)

-- column: cores BIGINT | Mac: cores of the processor (CPU), a number.
try_cast(regexp_extract(total_number_of_cores, '^\s*(?:proc )?(\d{1,4})(?:$|[\s:(])', 1) AS BIGINT)
