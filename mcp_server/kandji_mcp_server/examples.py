"""How a table is asked: two example statements, and values that its columns really have."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from kandji_schema.errors import StatementError

if TYPE_CHECKING:
    from kandji_queries.catalog.dictionary import ColumnInfo
    from kandji_queries.reader import Reader

PREFERRED = ("name", "device_name", "rule", "status", "version")
"""Columns that say most, wherever they are."""

FrequentValues = Mapping[str, Sequence[str]]
"""Frequent values by column."""

DEVICE_COLUMNS = ("device_name", "serial_number")
"""What tells which device it is."""


def examples(
    table: str, columns: "Sequence[ColumnInfo]", found: FrequentValues, joins: Mapping[str, Sequence[str]]
) -> list[str]:
    """Write one that counts, and one that lists: with the devices where the table is about these."""
    kinds = [c.name for c in columns if c.name in found or c.type == "BOOLEAN"]
    kinds.sort(key=lambda name: name == "device_family")  # every Prism table has it; others say more
    return [_count_example(table, kinds), _list_example(table, columns, kinds, joins)]


def _count_example(table: str, kinds: Sequence[str]) -> str:
    if not kinds:
        return f"SELECT count(*) AS n FROM {table}"
    return f"SELECT {kinds[0]}, count(*) AS n FROM {table} GROUP BY ALL ORDER BY n DESC"


def _list_example(
    table: str, columns: "Sequence[ColumnInfo]", kinds: Sequence[str], joins: Mapping[str, Sequence[str]]
) -> str:
    names = [c.name for c in columns]
    about_devices = "devices.device_id" in joins.get("device_id", ()) and not {*DEVICE_COLUMNS} <= {*names}
    wanted = [*(n for n in PREFERRED if n in names), *(n for n in kinds if n not in PREFERRED)] or names
    told = [n for n in wanted if not (about_devices and n in DEVICE_COLUMNS)][:3]
    flag = next((c.name for c in columns if c.type == "BOOLEAN"), None)
    where = f" WHERE t.{flag}" if flag else ""
    if about_devices:
        shown = ", ".join([*(f"d.{n}" for n in DEVICE_COLUMNS), *(f"t.{n}" for n in told)])
        return f"SELECT {shown} FROM {table} AS t JOIN devices AS d USING (device_id){where} LIMIT 50"
    return f"SELECT {', '.join(f't.{n}' for n in told)} FROM {table} AS t{where} LIMIT 50"


LOOKED_AT = 2_000
"""Rows of a table that are looked at."""

FEW = 12
"""A column with more values than this is no kind of something: its values say little."""

MOST = 6
"""Values that are shown."""

LONGEST = 40
"""Most characters of a value."""


def frequent_values(reader: "Reader", table: str, columns: "Sequence[ColumnInfo]") -> FrequentValues:
    """Find the values, most frequent first, of text columns that have few; none where the table cannot be read now."""
    harmless = _not_personal(table)
    names = [c.name for c in columns if c.type == "VARCHAR" and c.name in harmless and not c.name.endswith("id")]
    if not names:
        return {}
    counted = ", ".join(f'approx_top_k("{name}", {FEW + 1}) AS "{name}"' for name in names)
    try:
        found = reader.run(f'SELECT {counted} FROM (FROM "{table}" LIMIT {LOOKED_AT})').rows[0]
    except StatementError:
        return {}
    kinds = {name: [v for v in values or () if v] for name, values in zip(names, found, strict=True)}
    return {name: [v[:LONGEST] for v in values[:MOST]] for name, values in kinds.items() if 0 < len(values) <= FEW}


def _not_personal(table: str) -> frozenset[str]:
    """Return the columns that the table does not mark as personal; of a view, those that no table does."""
    from kandji_schema.registry import resources  # with it comes sqlmodel, which nothing else here needs

    behind = [resources()[table]] if table in resources() else list(resources().values())
    columns = [column for found in behind for column in found.columns]
    return frozenset({c.name for c in columns} - {c.name for c in columns if c.personal or c.name == "extra"})
