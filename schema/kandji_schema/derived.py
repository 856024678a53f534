"""Derived columns of a table: what its own columns say, in the type one reckons with, computed when it is read.

``tables/<table>.sql`` stands beside the table's class and has one expression a column, over the columns of the class
and whatever stands above it in the file::

    -- step: start
    start_volume(volumes, boot_volume)

    -- column: uptime_days DOUBLE | Days since the last start.
    days_of(time_since_boot)

A ``step`` is nobody's column. Nothing of it is stored: the engine makes the table's view of them, so that homes of
earlier versions have them too, history keeps no change of them, and a statement pays for those it names. Readers have
them without the table's class, which takes a third of a second to import.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from kandji_schema.errors import ConfigurationError
from kandji_schema.sql import identifier

FOLDER = Path(__file__).parent / "tables"

EXTRA = "extra"
"""The column every table ends with, also with derived ones."""

_STEP = re.compile(r"-- step: (?P<name>[a-z_]+)")
_COLUMN = re.compile(r"-- column: (?P<name>[a-z_]+) (?P<type>[A-Z]+) \| (?P<description>.+)")


@dataclass(frozen=True)
class DerivedColumn:
    """One column or, without a ``type``, a step; ``type`` is DuckDB's name and ``sql`` an expression."""

    name: str
    type: str
    description: str
    sql: str

    @property
    def unknown(self) -> "DerivedColumn":
        """The same with nothing in it, for a data file that lacks what it is made of."""
        return replace(self, sql=f"NULL::{self.type}" if self.type else "NULL")


@cache
def derivations(table: str, folder: Path = FOLDER) -> tuple[DerivedColumn, ...]:
    """Return steps and derived columns of a table in their order; none where it has no such file.

    :class:`ConfigurationError` names the file whose header cannot be read.
    """
    path = folder / f"{table}.sql"
    if not path.is_file():
        return ()
    blocks = re.split(r"(?m)^(?=-- (?:step|column):)", path.read_text(encoding="utf-8"))
    return tuple(_read(path, block) for block in blocks if block.strip())


def derived_columns(table: str) -> tuple[DerivedColumn, ...]:
    """Return the derived columns of a table that can be asked for."""
    return tuple(found for found in derivations(table) if found.type)


def with_derived(source: str, found: Sequence[DerivedColumn]) -> str:
    """Return the SELECT of a relation with its derived columns before ``extra``; ``source`` is its name or SELECT."""
    if not found:
        return f"FROM {source}"
    for level in _levels(found):
        source = f"(SELECT *, {', '.join(f'{one.sql} AS {identifier(one.name)}' for one in level)} FROM {source})"
    shown = [identifier(one.name) for one in found if one.type]
    moved = ", ".join([EXTRA, *(identifier(one.name) for one in found)])
    return f"SELECT * EXCLUDE ({moved}), {', '.join([*shown, EXTRA])} FROM {source}"


def _levels(found: Iterable[DerivedColumn]) -> list[list[DerivedColumn]]:
    """Put what needs others below them: each level of a view costs a statement a millisecond, whatever it asks."""
    levels: list[list[DerivedColumn]] = []
    for one in found:
        words = set(re.findall(r"\w+", one.sql))
        needed = [place for place, level in enumerate(levels) if any(other.name in words for other in level)]
        place = max(needed, default=-1) + 1
        if place == len(levels):
            levels.append([])
        levels[place].append(one)
    return levels


def _read(path: Path, block: str) -> DerivedColumn:
    lines = block.strip().splitlines()
    more = next((i for i, line in enumerate(lines) if i and not line.startswith("--  ")), len(lines))
    head = " ".join([lines[0], *(line.removeprefix("--").strip() for line in lines[1:more])])
    sql = "\n".join(lines[more:]).strip()
    found = _COLUMN.fullmatch(head) or _STEP.fullmatch(head)
    if not found or not sql:
        raise ConfigurationError(
            f"{path.name}: `{lines[0]}` begins neither `-- step: name` nor `-- column: name TYPE | description`, "
            "or there is no expression below it."
        )
    facts = found.groupdict()
    return DerivedColumn(facts["name"], facts.get("type", ""), facts.get("description", ""), sql)
