"""Two statements that show how a table is asked, made from what it looks like."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from kandji_mcp_server.samples import Samples

if TYPE_CHECKING:
    from kandji_queries.tables import ColumnInfo

TOLD = ("name", "device_name", "rule", "status", "version")
"""Columns that say most, wherever they are."""

DEVICE = ("device_name", "serial_number")
"""What tells which device it is."""


def examples(
    table: str, columns: "Sequence[ColumnInfo]", found: Samples, joins: Mapping[str, Sequence[str]]
) -> list[str]:
    """One that counts, and one that lists: with the devices where the table is about these."""
    kinds = [c.name for c in columns if c.name in found or c.type == "BOOLEAN"]
    kinds.sort(key=lambda name: name == "device_family")  # every Prism table has it; others say more
    return [_counting(table, kinds), _listing(table, columns, kinds, joins)]


def _counting(table: str, kinds: Sequence[str]) -> str:
    if not kinds:
        return f"SELECT count(*) AS n FROM {table}"
    return f"SELECT {kinds[0]}, count(*) AS n FROM {table} GROUP BY ALL ORDER BY n DESC"


def _listing(
    table: str, columns: "Sequence[ColumnInfo]", kinds: Sequence[str], joins: Mapping[str, Sequence[str]]
) -> str:
    names = [c.name for c in columns]
    about_devices = "devices.device_id" in joins.get("device_id", ()) and not {*DEVICE} <= {*names}
    wanted = [*(n for n in TOLD if n in names), *(n for n in kinds if n not in TOLD)] or names
    told = [n for n in wanted if not (about_devices and n in DEVICE)][:3]
    flag = next((c.name for c in columns if c.type == "BOOLEAN"), None)
    where = f" WHERE t.{flag}" if flag else ""
    if about_devices:
        shown = ", ".join([*(f"d.{n}" for n in DEVICE), *(f"t.{n}" for n in told)])
        return f"SELECT {shown} FROM {table} AS t JOIN devices AS d USING (device_id){where} LIMIT 50"
    return f"SELECT {', '.join(f't.{n}' for n in told)} FROM {table} AS t{where} LIMIT 50"
