"""Of which tables a statement on the views of the past tells: those that it names in ``table_name = 'apps'``."""

from collections.abc import Mapping

from kandji_queries.lineage import tree
from kandji_queries.lineage.tree import Node, Relation
from kandji_schema.sql import fold_name

TABLE_NAME = "table_name"


def tables_told(root: Node, view: str, values: Mapping[str, object]) -> frozenset[str] | None:
    """Return the tables whose past a statement tells from a view of the past; None where it may be any.

    ``values`` are those bound to its parameters, by folded name.
    """
    selects = [node for node in tree.below(root) if tree.kind(node) == "SELECT_NODE"]
    read = [(node, r) for node in selects for r in tree.relations(node.get("from_table")) if r.name == view]
    named = [_named(node, relation, values) for node, relation in read]
    mentions = [n for n in tree.below(root) if tree.kind(n) == "BASE_TABLE" and tree.table_name(n) == view]
    if not named or None in named or len(mentions) > len(read):  # one inside a pivot is filtered by nothing
        return None
    return frozenset().union(*(tables for tables in named if tables))


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
