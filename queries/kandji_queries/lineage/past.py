"""Of which tables a statement on the views of the past tells: those that it names in ``table_name = 'apps'``."""

from collections.abc import Mapping, Sequence

from kandji_queries.lineage import tree
from kandji_queries.lineage.demand import Demand
from kandji_queries.lineage.tree import Node, Relation
from kandji_queries.relations import BETWEEN, BY_THING
from kandji_schema.sql import fold_name

TABLE_NAME = "table_name"

OWN, CARRIED = "devices", "what"
"""Of a device that came or went ``what`` tells what it carried too, which is known of other tables."""


def tables_told(root: Node, view: str, values: Mapping[str, object], demand: Demand) -> frozenset[str] | None:
    """Return the tables whose past a statement tells from a view of the past; None where it may be any.

    ``values`` are those bound to its parameters, by folded name; ``demand`` is what the statement asks for.
    """
    selects = [node for node in tree.below(root) if tree.kind(node) == "SELECT_NODE"]
    read = [(node, r) for node in selects for r in tree.relations(node.get("from_table")) if _reads(r.node, view)]
    named = [_named(node, relation, values) for node, relation in read]
    mentions = [node for node in tree.below(root) if _reads(node, view)]
    if not named or None in named or len(mentions) > len(read):  # one inside a pivot is filtered by nothing
        return None
    told = frozenset().union(*(tables for tables in named if tables))
    return None if view == BY_THING and OWN in told and _asks_what_was_carried(root, mentions, demand) else told


def _asks_what_was_carried(root: Node, mentions: Sequence[Node], demand: Demand) -> bool:
    """Tell whether :data:`CARRIED` can reach the answer; what ``*`` is of where it is of a function, nothing tells."""
    starred = any(node.get("class") == "STAR" for node in tree.below(root))
    return demand.asks(BY_THING, CARRIED) or (starred and any(map(_is_call, mentions)))


def _reads(node: Node, view: str) -> bool:
    """Tell whether a node of FROM is the view, or a call of the function that reads some days of it."""
    if _is_call(node):
        return view == BY_THING
    return tree.kind(node) == "BASE_TABLE" and tree.table_name(node) == view


def _is_call(node: Node) -> bool:
    return tree.kind(node) == "TABLE_FUNCTION" and tree.function_name(node["function"]) == BETWEEN


def _named(select: Node, relation: Relation, values: Mapping[str, object]) -> frozenset[str] | None:
    if relation.node.get("column_name_alias"):
        return None
    for condition in tree.conjuncts(select.get("where_clause")):
        name, *others = _compared(condition)
        if name and tree.parts(name) in ([TABLE_NAME], [relation.alias, TABLE_NAME]):
            told = [_text(other, values) for other in others]
            if told and None not in told:
                return frozenset(text for text in told if text)
    return None


def _compared(condition: Node) -> list[Node]:
    """Return what ``=`` or ``IN`` compares, a column first where there is one."""
    if tree.kind(condition) == "COMPARE_IN":
        return list(condition["children"])
    if tree.kind(condition) != "COMPARE_EQUAL":
        return [{}]
    sides = [condition["left"], condition["right"]]
    return sides if tree.parts(sides[0]) else sides[::-1]


def _text(node: Node, values: Mapping[str, object]) -> str | None:
    literal = node.get("literal")
    if isinstance(literal, dict) and literal.get("kind") == "STRING":
        return str(literal["text"])
    if tree.kind(node) == "VALUE_PARAMETER":
        value = values.get(fold_name(str(node["identifier"])))
        return value if isinstance(value, str) else None
    return None
