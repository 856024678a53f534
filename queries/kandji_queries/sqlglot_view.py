"""What sqlglot makes of a statement: the second opinion, and the only look into a dynamic PIVOT.

sqlglot does not parse everything DuckDB does and misreads some of it, so that it cannot parse is no reason to refuse;
that it sees a table DuckDB's tree does not have is.
"""

import logging
import re
from collections.abc import Collection, Iterator
from difflib import get_close_matches

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from kandji_queries import functions
from kandji_schema.errors import Refused

logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of every statement it keeps as text

_TEXT_KEPT = (exp.Command, exp.Show, exp.Describe, exp.Summarize)
"""Statements of which sqlglot keeps the text rather than the tables."""

_PIVOT_NODES = (
    *(exp.Select, exp.From, exp.Pivot, exp.Subquery, exp.Table, exp.TableAlias, exp.Identifier, exp.Column, exp.Star),
    *(exp.Alias, exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.Tuple, exp.Neg, exp.Not, exp.Binary),
    *(exp.Where, exp.Group, exp.Order, exp.Ordered, exp.Limit, exp.Join, exp.Filter, exp.Distinct, exp.In),
    *(exp.Between, exp.Case, exp.If, exp.Cast, exp.DataType, exp.DataTypeParam, exp.Interval, exp.Var),
)
"""Classes a dynamic PIVOT may be made of; functions (also some of these) are checked by name."""

_STATIC = "Name the values: PIVOT t ON column IN ('a', 'b') USING ..."


def agree(sql: str, tables: Collection[str]) -> None:
    """Raise :class:`Refused` where sqlglot sees a table that the guard does not, or the other way round."""
    try:
        roots = [root for root in sqlglot.parse(sql, dialect="duckdb") if root is not None]
    except (SqlglotError, RecursionError):
        return
    if len(roots) != 1 or roots[0].find(*_TEXT_KEPT):
        return
    seen = set(_table_names(roots[0]))
    ctes = {cte.alias.casefold() for cte in roots[0].find_all(exp.CTE)}
    known = {name.casefold() for name in tables}
    seen -= {f"recurring.{name}" for name in ctes}  # a recursive CTE's rows so far
    if odd := (seen - ctes - known) | (known - seen):
        raise Refused(
            f"It is not clear which tables the statement reads ({', '.join(sorted(odd))}). Write it more plainly, "
            "for example with one SELECT a CTE.",
            rule="second opinion",
        )


def pivoted_tables(sql: str, tables: Collection[str]) -> tuple[str, ...]:
    """The tables of a PIVOT that finds its columns in the data; :class:`Refused` beyond the simple form."""
    try:
        roots = sqlglot.parse(sql, dialect="duckdb")
    except (SqlglotError, RecursionError) as error:
        raise _too_complex("it is too complex to check; order and limit outside: FROM (PIVOT ...)") from error
    if len(roots) != 1 or not isinstance(roots[0], exp.Pivot | exp.Select):
        raise _too_complex("it must be the whole statement or a subquery in FROM")
    for node in roots[0].walk():
        _allow(node)
    known = {name.casefold(): name for name in tables}
    return tuple(dict.fromkeys(_known(name, known) for name in _table_names(roots[0])))


def _table_names(root: exp.Expr) -> Iterator[str]:
    """Names as the guard knows them, ``main.devices`` as ``devices``; table functions have none."""
    for table in root.find_all(exp.Table):
        if isinstance(table.this, exp.Identifier):
            parts = [part.name.casefold() for part in table.parts]
            yield parts[-1] if parts[:-1] in ([], ["main"], ["memory", "main"]) else ".".join(parts)


def _allow(node: exp.Expr) -> None:
    if isinstance(node, exp.Table) and not isinstance(node.this, exp.Identifier):
        raise _too_complex("it may read tables and subqueries, no table functions")
    if isinstance(node, _PIVOT_NODES):
        return
    if not isinstance(node, exp.Func):
        raise _too_complex(f"{type(node).__name__} cannot be part of it")
    name = re.match(r"\w*", node.sql(dialect="duckdb"))
    if not name or name[0].casefold() not in functions.allowed():
        raise _too_complex(f"the function {name[0] if name else ''!r} cannot be used in it")


def _known(name: str, known: dict[str, str]) -> str:
    if name in known:
        return known[name]
    bare = {other.rpartition(".")[2] for other in known}
    nearest = get_close_matches(name.rpartition(".")[2], bare, n=3) or sorted(bare)
    raise Refused(f"There is no table {name!r} here. Did you mean {' or '.join(nearest[:3])}?", rule="table")


def _too_complex(why: str) -> Refused:
    return Refused(f"A PIVOT whose columns come from the data is checked strictly: {why}. {_STATIC}", rule="pivot")
