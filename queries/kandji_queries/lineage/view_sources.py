"""What a view reads for some of its columns: of its LEFT JOINs those that add a row to no row and nothing to these.

``FROM devices AS d LEFT JOIN prism_filevault AS f USING (device_id)`` has a row a device whatever the right side holds,
as its key is ``device_id``. Where no column of ``f`` is asked for, the right side can be left out.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from kandji_queries.lineage import tree
from kandji_queries.lineage.tree import Node, Relation
from kandji_schema.sql import fold_name

Asks = Callable[[str], bool]
"""Tells of a column of the view whether it is asked for."""

Keys = Mapping[str, Collection[str]]
"""Columns by table that no two of its rows have in common."""

AGGREGATES = frozenset(
    {
        *("count_star", "count", "sum", "min", "max", "avg", "any_value", "first", "arg_max", "arg_min", "list"),
        *("bool_or", "bool_and", "string_agg", "count_if"),
    }
)
"""Functions that are known to make one value of many; GROUP BY ALL groups by all else."""


@dataclass(frozen=True, eq=False)
class _Entry:
    """One entry of the select list: what it is called, and the names of columns that it says."""

    node: Node
    name: str
    says: list[list[str]]

    @classmethod
    def of(cls, node: Node) -> "_Entry":
        many = node.get("class") == "STAR" or _makes_rows(node)
        return cls(node, "" if many else tree.output_name(node), tree.names_in([node]))


class ViewSources:
    """A view's definition, asked for what stands behind some columns."""

    def __init__(self, root: Node, keys: Keys) -> None:
        """``root`` is the tree of its statement."""
        self._root = root
        self._keys = keys
        self._ctes = dict(tree.ctes(root))
        self._can_be_cut = tree.kind(root) == "SELECT_NODE" and _keeps_rows(root)
        self._entries = [_Entry.of(node) for node in root["select_list"]] if self._can_be_cut else []
        self._found: dict[frozenset[str], frozenset[str]] = {}

    @property
    def columns(self) -> list[str]:
        """Return the names of its columns as far as it names them itself."""
        entries = self._root.get("select_list") or ()
        return [name for entry in entries if (name := tree.output_name(entry))]

    def behind(self, asks: Asks) -> frozenset[str]:
        """Return the names of the tables and views that these columns take."""
        asked = frozenset(entry.name for entry in self._entries if asks(entry.name))
        if asked not in self._found:
            self._found[asked] = self._read(asked)
        return self._found[asked]

    def _read(self, asked: frozenset[str]) -> frozenset[str]:
        if not self._can_be_cut:
            return self._named_in([self._root])
        kept = self._kept(asked)
        others = [v for key, v in self._root.items() if key not in {"select_list", "from_table", "cte_map"}]
        said = [*(name for entry in kept for name in entry.says), *tree.names_in(others)]
        needed = self._joined(self._root.get("from_table"), said)
        return self._named_in([*(entry.node for entry in kept), *others, *needed])

    def _kept(self, asked: frozenset[str]) -> list[_Entry]:
        """Return the entries that are asked for, that have no name or make rows, and that one of these names."""
        wanted = {"", *asked}
        while True:
            kept = [entry for entry in self._entries if entry.name in wanted]
            said = {name[-1] for entry in kept for name in entry.says}
            more = {entry.name for entry in self._entries if entry.name in said} - wanted
            if not more:
                return kept
            wanted |= more

    def _joined(self, source: Node | None, said: list[list[str]]) -> list[object]:
        """Return the parts of FROM that are needed where ``said`` are the names said apart from it."""
        needed: list[object] = []
        later: list[str] = []  # columns by which what stands further right is joined
        while source and tree.kind(source) == "JOIN":
            if not self._can_go(source, said, later):
                needed += [source["right"], source.get("condition")]
                # a bare name in a subquery of a view of ours is one of its own
                inside = [name for name in tree.names_in([source["right"]]) if len(name) > 1]
                said = [*said, *inside, *tree.names_in([source.get("condition")])]
                later += _using(source)
            source = source["left"]
        return [*needed, source]

    def _can_go(self, join: Node, said: list[list[str]], later: list[str]) -> bool:
        """Tell whether the right side of a join changes neither the rows nor anything that is said of them."""
        right = list(tree.relations(join["right"]))
        if join["join_type"] != "LEFT" or join["ref_type"] != "REGULAR" or len(right) != 1:
            return False
        if any(len(name) == 1 or right[0].alias in name for name in said):
            return False  # a bare name may be one of its columns
        first = next(iter(tree.relations(join["left"])))
        safe = {*_using(join), *self._keys.get(first.name, ())}
        return safe.issuperset(later) and self._is_unique(right[0], _joined_by(join, right[0].alias))

    def _is_unique(self, relation: Relation, columns: Collection[str]) -> bool:
        """Tell whether no two rows of a relation have the same values in ``columns``."""
        if relation.node.get("column_name_alias"):
            return False
        if tree.kind(relation.node) == "SUBQUERY":
            return self._groups_by(relation.node["subquery"]["node"], columns)
        if relation.name in self._ctes:
            definition = self._ctes[relation.name]
            return not definition.get("aliases") and self._groups_by(definition["query_node"], columns)
        key = self._keys.get(relation.name, ())
        return bool(key) and set(columns).issuperset(key)

    def _groups_by(self, query: Node, columns: Collection[str]) -> bool:
        if tree.kind(query) != "SELECT_NODE" or query.get("modifiers") or any(map(_makes_rows, query["select_list"])):
            return False
        named = {tree.output_name(entry): entry for entry in query["select_list"]}
        wanted = [tree.parts(named[column]) for column in columns if column in named]
        if query.get("aggregate_handling") == "FORCE_AGGREGATES":
            rest = [entry for name, entry in named.items() if name not in columns]
            return bool(wanted) and all(_is_aggregate(entry) for entry in rest)
        groups = [tree.parts(group) for group in query.get("group_expressions") or ()]
        one_set = len(query.get("group_sets") or ()) == 1
        return bool(groups) and one_set and all(group and group in wanted for group in groups)

    def _named_in(self, values: list[object]) -> frozenset[str]:
        """Return every table named below some nodes, and in the CTEs that they name."""
        found: set[str] = set()
        seen: set[str] = set()
        waiting = list(values)
        while waiting:
            for node in tree.below(waiting.pop()):
                name = tree.table_name(node) if tree.kind(node) == "BASE_TABLE" else ""
                if name in self._ctes and name not in seen:
                    waiting.append(self._ctes[name]["query_node"])
                seen.add(name)
                found |= {name} - self._ctes.keys()
        return frozenset(found - {""})


def _keeps_rows(select: Node) -> bool:
    """Tell whether what is selected has no part in which rows there are."""
    plain = not select.get("modifiers") and select.get("aggregate_handling") == "STANDARD_HANDLING"
    return plain and not any(group.get("class") == "CONSTANT" for group in select.get("group_expressions") or ())


def _makes_rows(entry: Node) -> bool:
    return any(node.get("function_name") == "unnest" for node in tree.below(entry))


def _is_aggregate(entry: Node) -> bool:
    return entry.get("class") == "FUNCTION" and str(entry.get("function_name")) in AGGREGATES


def _using(join: Node) -> list[str]:
    return [fold_name(str(name)) for name in join.get("using_columns") or ()]


def _joined_by(join: Node, alias: str) -> list[str]:
    """Return the columns of the right side that must equal something of the left: of USING, or ``f.a = d.b`` of ON."""
    found = _using(join)
    for node in tree.conjuncts(join.get("condition")):
        if tree.kind(node) == "COMPARE_EQUAL":
            sides = [tree.parts(node["left"]), tree.parts(node["right"])]
            own = [side for side in sides if len(side) == 2 and side[0] == alias]
            found += [own[0][1]] if len(own) == 1 else []
    return found
