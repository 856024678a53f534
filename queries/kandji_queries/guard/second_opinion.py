"""The second opinion: what sqlglot, which takes as long to import as DuckDB, makes of a statement.

sqlglot does not parse everything DuckDB does and misreads some of it, so that it cannot parse is no reason to refuse;
that it sees a table DuckDB's tree does not have is.
"""

import logging
from collections.abc import Collection, Iterator

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from kandji_schema.errors import Refused
from kandji_schema.sql import fold_name

logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of every statement it keeps as text

_TEXT_KEPT = (exp.Command, exp.Show, exp.Describe, exp.Summarize)
"""Statements of which sqlglot keeps the text rather than the tables."""


def agree(sql: str, tables: Collection[str]) -> None:
    """Raise :class:`Refused` where sqlglot sees a table that the guard does not, or the other way round."""
    try:
        roots = [root for root in sqlglot.parse(sql, dialect="duckdb") if root is not None]
    except (SqlglotError, RecursionError):
        return
    if len(roots) != 1 or roots[0].find(*_TEXT_KEPT):
        return
    seen = set(_table_names(roots[0]))
    ctes = {fold_name(cte.alias) for cte in roots[0].find_all(exp.CTE)}
    known = {fold_name(name) for name in tables}
    seen -= {f"recurring.{name}" for name in ctes}  # a recursive CTE's rows so far
    if odd := (seen - ctes - known) | (known - seen):
        raise Refused(
            f"It is not clear which tables the statement reads ({', '.join(sorted(odd))}). Write it more plainly, "
            "for example with one SELECT a CTE.",
            rule="second opinion",
        )


def _table_names(root: exp.Expr) -> Iterator[str]:
    """Yield names as the guard knows them, ``main.devices`` as ``devices``; table functions have none."""
    for table in root.find_all(exp.Table):
        if isinstance(table.this, exp.Identifier):
            parts = [fold_name(part.name) for part in table.parts]
            yield parts[-1] if parts[:-1] in ([], ["main"], ["memory", "main"]) else ".".join(parts)
