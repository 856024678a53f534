"""Values that a column really has, for whoever writes a filter on it; never those of personal columns."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from kandji_schema.errors import StatementError

if TYPE_CHECKING:
    from kandji_queries.reader import Reader
    from kandji_queries.tables import ColumnInfo

LOOKED_AT = 2_000
"""Rows of a table that are looked at."""

FEW = 12
"""A column with more values than this is no kind of something: its values say little."""

MOST = 6
"""Values that are shown."""

LONGEST = 40
"""Most characters of a value."""

Samples = Mapping[str, Sequence[str]]


def samples(reader: "Reader", table: str, columns: "Sequence[ColumnInfo]") -> Samples:
    """The values, the most frequent first, of text columns that have few; none where the table cannot be read now."""
    harmless = _harmless(table)
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


def _harmless(table: str) -> frozenset[str]:
    """Columns that the table does not mark as personal; of a view, those that no table does."""
    from kandji_schema.registry import resources  # with it comes sqlmodel, which nothing else here needs

    behind = [resources()[table]] if table in resources() else list(resources().values())
    columns = [column for found in behind for column in found.columns]
    return frozenset({c.name for c in columns} - {c.name for c in columns if c.personal or c.name == "extra"})
