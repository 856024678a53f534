"""A statement whose answer is known, as remarks look at it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from time import monotonic
from typing import Any

from kandji_queries.engine.limits import QueryLimits
from kandji_queries.guard.sql_ast import Connect, written
from kandji_queries.lineage import tree
from kandji_queries.lineage.tree import Node, Relation
from kandji_queries.results.result import Row, StatementRunner
from kandji_schema.errors import StatementError, StoreError
from kandji_schema.sql import fold_name

LOOK = QueryLimits(seconds=1.0, rows=100_000)
"""What may be spent on all that is looked up for the remarks on a statement."""

Look = Callable[[str, Mapping[str, object]], list[Row] | None]
"""Runs one more statement with these parameters; None where it fails or takes too long."""


@dataclass(frozen=True)
class Asked:
    """A statement: its tree, the values of its parameters, and what more can be asked.

    ``columns`` returns those of a table or view, none where there is no such one; ``written`` returns the SQL of the
    tree of a query.
    """

    root: Node
    values: Mapping[str, object]
    look: Look
    columns: Callable[[str], Sequence[str]]
    written: Callable[[Node], str]

    @classmethod
    def of(
        cls,
        runner: StatementRunner,
        root: Node,
        values: Mapping[str, object],
        columns: Callable[[str], Sequence[str]],
        connect: Connect,
    ) -> "Asked":
        """Return a statement of which more is asked by ``runner``; ``connect`` gives an engine that writes SQL."""
        ends = monotonic() + LOOK.seconds

        def look(sql: str, params: Mapping[str, object]) -> list[Row] | None:
            try:
                return runner.run(sql, params, limits=replace(LOOK, seconds=max(ends - monotonic(), 0.0))).rows
            except (StatementError, StoreError):
                return None

        return cls(root, values, look, columns, lambda query: written(query, connect))

    def rows_of(self, query: Node, around: str = "{}") -> list[Row] | None:
        """Return the rows of a query that is a part of the statement; ``around`` is what is asked of it."""
        names = {str(node["identifier"]) for node in tree.below(query) if tree.kind(node) == "VALUE_PARAMETER"}
        values = {name: value for name, value in self.values.items() if fold_name(name) in map(fold_name, names)}
        return self.look(around.format(self.written(query)), values)

    @cached_property
    def relations(self) -> list[Relation]:
        """What FROM names anywhere in the statement, but for its own CTEs."""
        own = {name for query in tree.queries(self.root) for name, _ in tree.ctes(query)}
        selects = (node for node in tree.below(self.root) if tree.kind(node) == "SELECT_NODE")
        found = [relation for node in selects for relation in tree.relations(node.get("from_table"))]
        return [relation for relation in found if relation.name and relation.name not in own]

    def tables_with(self, parts: Sequence[str]) -> list[str]:
        """Return the tables that may be meant by the name of a column, ``["d", "platform"]``."""
        named = [relation for relation in self.relations if len(parts) < 2 or relation.alias == parts[-2]]
        tables = dict.fromkeys(relation.name for relation in named or self.relations)
        return [table for table in tables if parts[-1] in map(fold_name, self.columns(table))]

    def text_of(self, node: Node) -> str | None:
        """Return the text that a node stands for, written there or bound; None for anything else."""
        literal = node.get("literal")
        if isinstance(literal, dict):
            return str(literal["text"]) if literal.get("kind") == "STRING" else None
        if tree.kind(node) == "VALUE_PARAMETER":
            named = fold_name(str(node["identifier"]))
            value = next((value for name, value in self.values.items() if fold_name(name) == named), None)
            return str(value) if isinstance(value, str) else None
        return None


def column(node: Any) -> list[str]:
    """Return the parts of a column's name; none for what is more than a column, or something else."""
    return tree.parts(node) if isinstance(node, dict) and node.get("class") == "COLUMN_REF" else []


def selects(root: Node) -> Iterator[Node]:
    """Yield every SELECT of a statement."""
    return (node for node in tree.below(root) if tree.kind(node) == "SELECT_NODE")
