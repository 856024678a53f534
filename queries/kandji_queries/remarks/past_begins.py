"""Statements on the past that ask for more of it than is known."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from kandji_queries.history.period import Period, coverage_notes
from kandji_queries.lineage import tree
from kandji_queries.lineage.demand import read_demand
from kandji_queries.lineage.past import tables_told
from kandji_queries.lineage.tree import Node
from kandji_queries.relations import BEGINS, BETWEEN, BY_THING
from kandji_queries.remarks.asked import Asked, column, selects
from kandji_schema.sql import fold_name

VIEWS = frozenset({"changes", BY_THING, "removed_rows"})
MOMENTS = frozenset({"changed_at", "removed_at"})
"""Views of the past, and their columns that tell when."""

AFTER = frozenset({"COMPARE_GREATERTHAN", "COMPARE_GREATERTHANOREQUALTO"})
BEFORE = frozenset({"COMPARE_LESSTHAN", "COMPARE_LESSTHANOREQUALTO"})


def remarks(asked: Asked, begins: Callable[[], Mapping[str, datetime]], now: datetime) -> Iterator[str]:
    """Say since when changes are known where a statement asks for earlier ones, as the command ``changes`` does.

    ``begins`` returns for each table with history since when it is whole, the latest first; ``now`` is naive UTC.
    """
    since = [*_sinces_of_views(asked), *_sinces_of_calls(asked)]
    if not since:
        return
    first = None if None in since else min(moment for moment in since if moment is not None)
    told = _told(asked)
    known = {table: at for table, at in begins().items() if told is None or table in told}
    if told is not None and not known:
        return  # no history is kept of it, which the answer says by itself
    yield from coverage_notes(known, Period(first, None, now))


def _sinces_of_views(asked: Asked) -> Iterator[datetime | None]:
    """Yield from when on each view of the past is read; None where it is from the beginning."""
    whole = _latest(asked, _lower_bounds(list(tree.below(asked.root))))
    for query in selects(asked.root):
        if any(relation.name in VIEWS for relation in tree.relations(query.get("from_table"))):
            own = _lower_bounds(list(tree.conjuncts(query.get("where_clause"))))
            yield _latest(asked, own) or whole


def _sinces_of_calls(asked: Asked) -> Iterator[datetime | None]:
    for node in tree.below(asked.root):
        call = node.get("function") if tree.kind(node) == "TABLE_FUNCTION" else None
        if isinstance(call, dict) and fold_name(str(call["function_name"])) == BETWEEN:
            yield _latest(asked, [_begin(call["arguments"])])


def _begin(arguments: list[Node]) -> Node:
    """Return the moment from which on ``changes_between`` tells: the first one, or the one that is named so."""
    named = [argument for argument in arguments if fold_name(str(argument["name"])) == BEGINS]
    begin: Node = (named or arguments)[0]["expression"]
    return begin


def _lower_bounds(conditions: list[Node]) -> list[Node]:
    """Return what a column of moments is to be after."""
    found = []
    for node in conditions:
        if tree.kind(node) in AFTER and _tells_when(node["left"]):
            found.append(node["right"])
        elif tree.kind(node) in BEFORE and _tells_when(node["right"]):
            found.append(node["left"])
        elif tree.kind(node) == "COMPARE_BETWEEN" and _tells_when(node["input"]):
            found.append(node["lower"])
    return found


def _tells_when(node: Node) -> bool:
    return not MOMENTS.isdisjoint(column(node)[-1:])


def _latest(asked: Asked, bounds: list[Node]) -> datetime | None:
    """Return the latest of some moments that the statement says; None where it says none."""
    found = []
    for bound in bounds:
        rows = asked.rows_of(_selecting(bound), "SELECT ({})::TIMESTAMP")
        found += [row[0] for row in rows or () if isinstance(row[0], datetime)]
    return max(found, default=None)


def _selecting(expression: Node) -> Node:
    """Return the tree of ``SELECT expression``."""
    nothing = {"type": "EMPTY", "alias": "", "sample": None, "query_location": 0}
    return {
        "type": "SELECT_NODE",
        "modifiers": [],
        "cte_map": {"map": []},
        "select_list": [expression],
        "from_table": nothing,
        "where_clause": None,
        "group_expressions": [],
        "group_sets": [],
        "aggregate_handling": "STANDARD_HANDLING",
        "having": None,
        "sample": None,
        "qualify": None,
    }


def _told(asked: Asked) -> frozenset[str] | None:
    """Return the tables whose past the statement tells; None where it may be any."""
    values = {fold_name(name): value for name, value in asked.values.items()}
    demand = read_demand(asked.root)
    views = {relation.name for relation in asked.relations} & VIEWS or {BY_THING}
    told = [tables_told(asked.root, view, values, demand) for view in views]
    return None if None in told else frozenset().union(*(tables for tables in told if tables))
