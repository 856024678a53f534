"""What a statement asks of the views it names: which of their columns can reach its answer.

Names are taken together, without scopes: a column of a view counts as asked for when its name stands anywhere in the
statement. What remains to be followed is what asks for columns without naming them: ``*`` where it reaches the answer,
natural joins, pivots, whole rows, columns that are given other names. A ``*`` inside a subquery or CTE only passes on,
so there it asks for nothing by itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from kandji_queries.lineage import tree
from kandji_queries.lineage.tree import Node, Relation
from kandji_schema.sql import fold_name


@dataclass(frozen=True)
class Demand:
    """``names`` of columns, folded; ``whole`` are views of which all columns are asked for but those given."""

    names: frozenset[str]
    whole: dict[str, frozenset[str]]

    def asks(self, view: str, column: str) -> bool:
        """Tell whether a column of a view is asked for."""
        return column in self.names or (view in self.whole and column not in self.whole[view])


def read_demand(root: Node) -> Demand:
    """Return what a statement asks for; ``root`` is its tree."""
    return _DemandReader(root).read()


class _DemandReader:
    """Reads the demand of one statement."""

    def __init__(self, root: Node) -> None:
        self._root = root
        self._whole: dict[str, frozenset[str]] = {}
        self._exposed: set[int] = set()

    def read(self) -> Demand:
        """Return what the statement asks for."""
        self._expose(self._root)
        for node in tree.below(self._root):
            if tree.is_query(node):
                self._passing(node)
            elif node.get("class") == "SUBQUERY":
                self._expose(node["subquery"]["node"])
            elif tree.kind(node) in {"PIVOT", "SHOW_REF"}:
                self._expose_inside(node)
            elif tree.kind(node) == "JOIN" and node["ref_type"] not in tree.JOINED_BY_CONDITION:
                self._expose_source(node)
            elif node.get("class") == "POSITIONAL_REFERENCE":
                self._expose_everything()
            elif node.get("column_name_alias"):
                self._expose_relation(next(iter(tree.relations(node))))
            for _, definition in tree.ctes(node):
                if definition.get("aliases"):
                    self._expose(definition["query_node"])
        self._whole_rows()
        return Demand(self._names, self._whole)

    @cached_property
    def _names(self) -> frozenset[str]:
        found: set[str] = set()
        for node in tree.below(self._root):
            found.update(tree.parts(node))
            found.update(map(fold_name, node.get("using_columns") or ()))
        return frozenset(found)

    @cached_property
    def _all_relations(self) -> list[Relation]:
        sources = (node for node in tree.below(self._root) if tree.kind(node) == "SELECT_NODE")
        return [relation for node in sources for relation in tree.relations(node.get("from_table"))]

    @cached_property
    def _ctes(self) -> list[tuple[str, Node]]:
        return [cte for node in tree.queries(self._root) for cte in tree.ctes(node)]

    def _expose(self, query: Node) -> None:
        """All columns of a query reach the answer, or whether it has a row depends on all."""
        if id(query) in self._exposed:
            return
        self._exposed.add(id(query))
        if tree.kind(query) != "SELECT_NODE":
            for part in (*query.get("children", ()), query.get("left"), query.get("right")):
                if part:
                    self._expose(part)
            return
        for entry in query["select_list"]:
            if entry.get("class") == "STAR":
                self._expose_star(query, entry)

    def _expose_star(self, query: Node, star: Node) -> None:
        left_out = star.get("exclude_list") or () if not _renames(star) else ()
        alias = fold_name(str(star.get("relation_name") or ""))
        for relation in self._starred(query, alias):
            self._expose_relation(relation, frozenset(fold_name(str(name)) for name in left_out))

    def _starred(self, query: Node, alias: str) -> list[Relation]:
        """Return what ``*`` or ``alias.*`` of a query is of; that may be a relation of a query around it."""
        own = list(tree.relations(query.get("from_table")))
        if not alias:
            return own
        named = [relation for relation in own if relation.alias == alias]
        return named or [r for r in self._all_relations if r.alias == alias] or self._all_relations

    def _expose_source(self, source: Node | None) -> None:
        for relation in tree.relations(source):
            self._expose_relation(relation)

    def _expose_relation(self, relation: Relation, left_out: frozenset[str] = frozenset()) -> None:
        if relation.name:
            self._whole[relation.name] = self._whole.get(relation.name, left_out) & left_out
            for name, definition in self._ctes:
                if name == relation.name:
                    self._expose(definition["query_node"])
        elif tree.kind(relation.node) == "SUBQUERY":
            self._expose(relation.node["subquery"]["node"])
        else:
            self._expose_inside(relation.node)

    def _expose_inside(self, node: Node) -> None:
        """Expose whatever a pivot or SHOW is made of."""
        for inner in tree.below(node):
            if tree.is_query(inner):
                self._expose(inner)
            elif tree.kind(inner) == "BASE_TABLE":
                self._expose_source(inner)

    def _expose_everything(self) -> None:
        for relation in self._all_relations:
            self._expose_relation(relation)

    def _passing(self, query: Node) -> None:
        """Look at a query whose columns may not all be asked for: what in it needs them nevertheless."""
        if tree.kind(query) != "SELECT_NODE":
            if any(_selects_star(part) for part in _members(query)):
                self._expose(query)
            return
        stars = [entry for entry in query["select_list"] if entry.get("class") == "STAR"]
        grouped = query.get("modifiers") or query.get("aggregate_handling") != "STANDARD_HANDLING"
        if stars and (grouped or any(_renames(star) for star in stars)):
            self._expose(query)
        inner = [n for n in tree.below(query, into_queries=False) if n.get("class") == "STAR"]
        for star in inner:
            if all(star is not entry for entry in stars) and not _sorts_by_all(query, star):
                self._expose_star(query, star)

    def _whole_rows(self) -> None:
        """Expose what is named like a column: ``to_json(f)`` takes whole rows of ``fleet AS f``."""
        bare = {tree.parts(node)[0] for node in tree.below(self._root) if len(tree.parts(node)) == 1}
        for relation in self._all_relations:
            if relation.alias in bare:
                self._expose_relation(relation)


def _members(query: Node) -> Iterator[Node]:
    return (part for part in (*query.get("children", ()), query.get("left"), query.get("right")) if part)


def _selects_star(query: Node) -> bool:
    if tree.kind(query) != "SELECT_NODE":
        return any(_selects_star(part) for part in _members(query))
    return any(entry.get("class") == "STAR" for entry in query["select_list"])


def _renames(star: Node) -> bool:
    return bool(star.get("columns") or star.get("expr") or star.get("rename_list"))


def _sorts_by_all(query: Node, star: Node) -> bool:
    """Tell whether it is that of ORDER BY ALL, which stands for the select list."""
    orders = [order for modifier in query.get("modifiers") or () for order in modifier.get("orders") or ()]
    return any(order.get("expression") is star for order in orders)
