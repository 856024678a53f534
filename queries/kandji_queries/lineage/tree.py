"""DuckDB's syntax tree as lineage reads it: queries, what stands in FROM, and names."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kandji_schema.sql import fold_name

Node = Mapping[str, Any]

QUERIES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE"})
UNREADABLE = (KeyError, IndexError, TypeError, AttributeError, StopIteration, RecursionError)
"""What reading a tree that is very deep, or of a form not met yet, may raise; no statement fails for it."""

_CALLS = frozenset({"FUNCTION", "WINDOW"})

JOINED_BY_CONDITION = frozenset({"REGULAR", "CROSS", "DEPENDENT", "ASOF"})
"""Joins that look at the columns they name; a natural join looks at whatever both sides have."""


@dataclass(frozen=True)
class Relation:
    """What FROM names or holds. ``name`` is empty for a subquery, ``alias`` for what can only be named bare."""

    alias: str
    name: str
    node: Node


def kind(node: object) -> str:
    """Return the type of a node; empty for what has none, or has one of values, as a cast does."""
    found = node.get("type") if isinstance(node, dict) else None
    return found if isinstance(found, str) else ""


def is_query(value: object) -> bool:
    """Tell whether a node is a query."""
    return kind(value) in QUERIES


def below(value: Any, *, into_queries: bool = True) -> Iterator[Node]:
    """Yield every node below ``value``, itself included; without ``into_queries`` no query below it."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            if item is not value and not into_queries and is_query(item):
                continue
            yield item
            waiting.extend(v for v in item.values() if isinstance(v, dict | list))
        elif isinstance(item, list):
            waiting.extend(item)


def queries(root: Node) -> Iterator[Node]:
    """Yield every query of a statement, its own first."""
    return (node for node in below(root) if is_query(node))


def relations(source: Node | None) -> Iterator[Relation]:
    """Yield what a FROM holds, from left to right; a pivot, a function and SHOW are relations without a name."""
    if not source or kind(source) in {"EMPTY", ""}:
        return
    if kind(source) == "JOIN":
        yield from relations(source["left"])
        yield from relations(source["right"])
        return
    alias = fold_name(str(source.get("alias") or ""))
    name = table_name(source) if kind(source) == "BASE_TABLE" else ""
    yield Relation(alias or name.rpartition(".")[2], name, source)


def table_name(source: Node) -> str:
    """Return a table's name as the guard knows it: ``memory.main.devices`` is ``devices``."""
    path = [fold_name(str(part)) for part in source["qualified_name"]["path"]]
    return path[-1] if path[:-1] in ([], ["main"], ["memory", "main"]) else ".".join(path)


def function_name(call: Node) -> str:
    """Return the name of a function that is called, without a schema before it."""
    return fold_name(str(call["qualified_name"]["path"][-1]))


def parts(node: Node) -> list[str]:
    """Return the parts of the name of a column, ``["f", "status"]``; none where a node is no such name.

    In ``device_name.upper()`` it stands before the function.
    """
    if node.get("class") == "COLUMN_REF":
        return [fold_name(str(part)) for part in node["column_names"]]
    if node.get("class") in {"FUNCTION", "WINDOW"}:
        return [fold_name(str(part)) for part in node["qualified_name"]["path"][:-1]]
    return []


def names_in(values: Iterable[object]) -> list[list[str]]:
    """Return the names of columns that stand below some nodes, each in its parts."""
    return [found for value in values for node in below(value) if (found := parts(node))]


def functions_in(root: Node) -> Iterator[str]:
    """Yield the name of every function that is called below a node."""
    return (fold_name(str(node["qualified_name"]["path"][-1])) for node in below(root) if node.get("class") in _CALLS)


def output_name(entry: Node) -> str:
    """Return what an entry of a select list is called; empty where the engine makes the name."""
    return fold_name(str(entry.get("alias") or "")) or (parts(entry) or [""])[-1]


def ctes(query: Node) -> Iterator[tuple[str, Node]]:
    """Yield name and definition of the CTEs of one query."""
    for entry in (query.get("cte_map") or {}).get("map", ()):
        yield fold_name(str(entry["key"])), entry["value"]


def conjuncts(condition: Node | None) -> Iterator[Node]:
    """Yield what must hold together: the sides of AND, however deep."""
    waiting = [condition] if condition else []
    while waiting:
        node = waiting.pop()
        if kind(node) == "CONJUNCTION_AND":
            waiting.extend(node["children"])
        else:
            yield node
