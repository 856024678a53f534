"""The SQL of a view: its rows, their number, and the same rows for a file. Names are quoted, values are bound."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kandji_queries.browse.conditions import ROWS, Clause, Condition, clause_of, column_of
from kandji_queries.browse.relation import Values
from kandji_queries.browse.view import View
from kandji_queries.relations import AS_OF
from kandji_queries.times import read_moment
from kandji_schema.sql import identifier, literal


@dataclass(frozen=True)
class Statement:
    """SQL with what is bound to it."""

    sql: str
    params: Mapping[str, Any]

    @property
    def text(self) -> str:
        """Write it with its values in it, as a person runs it."""
        return re.sub(r"\$(\w+)", lambda found: _literal(self.params[found[1]]), self.sql)


def _literal(value: object) -> str:
    if isinstance(value, datetime):
        return f"TIMESTAMP '{value}'"
    return literal(value) if isinstance(value, str) else str(value)


@dataclass(frozen=True)
class Source:
    """The rows that a view is about: FROM and WHERE, with what is bound to them."""

    relation: str
    where: str
    params: Mapping[str, Any]

    @property
    def sql(self) -> str:
        """Write FROM and WHERE."""
        return f"{self.relation}{self.where}"


def source_of(view: View, now: datetime, *, without: str = "") -> Source:
    """Return the rows of a view; ``without`` is a column whose conditions are left out."""
    relation, params = _relation(view, now)
    kept = [condition for condition in view.conditions if condition.field.name != without]
    looked_up = relation if is_stored(view) else ""
    clauses = [clause_of(condition, number, now, looked_up) for number, condition in enumerate(kept, start=1)]
    bound = {name: value for clause in clauses for name, value in clause.params.items()}
    return Source(relation, _where(clauses), {**params, **bound})


def flagged(name: str) -> str:
    """Return how many rows a column flags."""
    return f"count(*) FILTER ({column_of(name)})"


def rows_of(view: View, now: datetime, companions: Iterable[str] = (), *, counted: bool = False) -> Statement:
    """Return the statement of one page: the columns that are shown, and ``companions`` behind them.

    ``counted`` adds the number of all rows, and of those that are flagged, beside each: a view need not be made once
    more for them.
    """
    names = [*(found.name for found in view.shown), *companions]
    numbers = ["count(*)", *map(flagged, view.relation.flags)] if counted else []
    whole = _in_order(view, now, [*map(column_of, names), *(f"{number} OVER ()" for number in numbers)])
    return Statement(f"{whole.sql} LIMIT {view.size} OFFSET {(view.page - 1) * view.size}", whole.params)


def rows_from_the_end(view: View, now: datetime, companions: Iterable[str], total: int) -> Statement:
    """Return the same of a page nearer to the last of ``total`` rows, backwards: nothing before it is sorted."""
    names = [*(found.name for found in view.shown), *companions]
    whole = _in_order(view, now, map(column_of, names), backwards=True)
    behind = total - (view.page - 1) * view.size
    return Statement(f"{whole.sql} LIMIT {min(view.size, behind)} OFFSET {max(behind - view.size, 0)}", whole.params)


def values_of(view: View, condition: Condition, now: datetime, most: int) -> Statement:
    """Return the statement of the different values that fit a condition, at most so many."""
    relation, column, clause = _relation(view, now), column_of(condition.field.name), clause_of(condition, 0, now)
    different = f"SELECT min({column}) AS {identifier(condition.field.name)} {relation[0]} GROUP BY {column}"
    return Statement(f"FROM ({different}) AS {ROWS} WHERE {clause.sql} LIMIT {most}", {**relation[1], **clause.params})


def count_of(view: View, now: datetime) -> Statement:
    """Return the statement that counts the rows."""
    source = source_of(view, now)
    return Statement(f"SELECT count(*) {source.sql}", source.params)


def whole_of(view: View, now: datetime) -> Statement:
    """Return the statement of all rows, whole, with the columns that are shown, in the order of the pages."""
    return _in_order(view, now, [column_of(found.name) for found in view.shown])


def _in_order(view: View, now: datetime, columns: Iterable[str], *, backwards: bool = False) -> Statement:
    """Order by what was chosen, unknown last, then by the key, so that no row is on two pages."""
    source = source_of(view, now)
    chosen, joined = _sorted(view) if view.sort else ((), "")
    ways = [(expression, view.descending) for expression in chosen]
    ways += [(column_of(name), most) for name, most in view.relation.key]
    nulls = "FIRST" if backwards else "LAST"
    order = ", ".join(f"{what} {'DESC' if most != backwards else 'ASC'} NULLS {nulls}" for what, most in ways)
    return Statement(
        f"SELECT {', '.join(columns)} {source.relation}{joined}{source.where} ORDER BY {order}", source.params
    )


def _sorted(view: View) -> tuple[tuple[str, ...], str]:
    """Return by what to sort, as people do: texts without regard to case, versions by their numbers.

    The key of a version takes long to make, so it is made once for each that there is, and joined.
    """
    found = view.relation.fields[str(view.sort)]
    column = column_of(found.name)
    if found.values is Values.VERSION and is_stored(view):
        different = f"SELECT DISTINCT {column} AS _version FROM {identifier(view.relation.name)} AS {ROWS}"
        keys = f"SELECT _version, version_key(_version) AS _version_key FROM ({different})"
        return ("_version_key", column), f" LEFT JOIN ({keys}) ON _version = {column}"
    if found.values is Values.VERSION:
        return (f"version_key({column})", column), ""
    if found.values is Values.TEXT:
        return (f"lower({column})", column), ""
    return (f"{column}::VARCHAR" if found.values is Values.DOCUMENT else column,), ""


def is_stored(view: View) -> bool:
    """Tell whether the relation is a table as it is: views and the past are made anew each time they are named."""
    return not view.relation.is_view and view.as_of is None


def _relation(view: View, now: datetime) -> tuple[str, dict[str, Any]]:
    if view.as_of is None:
        return f"FROM {identifier(view.relation.name)} AS {ROWS}", {}
    moment = read_moment(view.as_of, now)
    past = f"{identifier(view.relation.name + AS_OF)}($as_of)"
    return f"FROM {past} AS {ROWS}", {"as_of": f"{moment:%Y-%m-%d %H:%M:%S.%f}"}


def _where(clauses: Iterable[Clause]) -> str:
    found = [clause.sql for clause in clauses]
    return f" WHERE {' AND '.join(found)}" if found else ""
