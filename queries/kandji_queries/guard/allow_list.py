"""The allow-list of DuckDB's syntax tree: whatever is not known to be harmless is refused.

Every check is an allow-list, so a node, a table or a function that a new DuckDB brings is refused until it has been
reviewed. Names of CTEs are followed with SQL's real scoping: a name counts only where its WITH reaches.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from kandji_queries.advice.dialects import function_advice
from kandji_queries.guard import functions, past_calls
from kandji_queries.relations import AS_OF, EVENTS
from kandji_schema.errors import Refused
from kandji_schema.sql import fold_name

Node = Mapping[str, Any]
TablePath = tuple[str, ...]
Scope = frozenset[TablePath]

CATALOG = "memory"
"""Name of the engine's own catalog, where the tables of the mirror appear as views of schema ``main``."""

TYPES = frozenset(
    {
        *("SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE"),
        *("BASE_TABLE", "SUBQUERY", "JOIN", "EXPRESSION_LIST", "EMPTY", "PIVOT", "TABLE_FUNCTION", "SHOW_REF"),
        *("ORDER_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER", "DISTINCT_MODIFIER"),
        *("ORDER_DEFAULT", "ASCENDING", "DESCENDING"),
    }
)
"""Query nodes, table references, modifiers and directions of sorting: all that has a ``type`` and is no expression."""

CLASSES = frozenset(
    {
        *("CONSTANT", "COLUMN_REF", "STAR", "POSITIONAL_REFERENCE", "PARAMETER", "LAMBDA", "LAMBDA_REF", "DEFAULT"),
        *("FUNCTION", "WINDOW", "OPERATOR", "COMPARISON", "CONJUNCTION", "BETWEEN", "CASE", "CAST", "COLLATE"),
        *("SUBQUERY", "TYPE"),
    }
)
"""Classes of expressions."""

BARE_FUNCTIONS = frozenset(
    {"current_catalog", "current_schema", "current_role", "current_user", "session_user", "user"}
)
"""Functions of the session that are called by a mere name, unless something of the statement has that name."""

ALLOWED_IN_FROM = ", ".join(sorted(functions.TABLE_FUNCTIONS))
FILE_HINT = "Only the mirror's own tables can be read: SHOW TABLES lists them."
CATALOG_HINT = "SHOW TABLES lists the tables, DESCRIBE <table> the columns."
FUNCTION_HINT = "DuckDB's functions of numbers, texts, times, lists, structs and JSON can be, and version_below()."
HINTS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("/", ".csv", "read_", "parquet", "glob", "sniff", "scan", "json", "text", "blob"), FILE_HINT),
    (("duckdb_", "pragma_", "information_schema", "sqlite_", "pg_", "show", "summary", "current_"), CATALOG_HINT),
    (("query",), "Write the query itself instead of its text."),
    (("pg_sleep", "sleep"), "A statement must not wait."),
)
"""What to do instead, by how the refused name begins or what it contains."""


class AllowList:
    """The check of one statement. ``tables`` maps each allowed path in lower case to the name of its table.

    Afterwards ``named`` are the tables whose names the statement has, ``behind_functions`` those that our own table
    functions read for it.
    """

    def __init__(
        self, tables: Mapping[TablePath, str], parameters: Collection[str], as_of_functions: Mapping[str, str]
    ) -> None:
        """``parameters`` are the names that will be bound, in lower case.

        ``as_of_functions`` are our table functions, each with its table.
        """
        self.named: dict[str, None] = {}
        self.behind_functions: dict[str, None] = {}
        self.shows_tables = False
        self._from_calls: set[int] = set()
        self._bare: set[str] = set()
        self._aliases: set[str] = set()
        self._tables = tables
        self._parameters = parameters
        self._as_of_functions = as_of_functions

    def check(self, root: Node) -> None:
        """Visit every node below ``root``, itself included; :class:`Refused` at the first that is not allowed."""
        waiting: list[tuple[Any, Scope]] = [(root, frozenset())]
        while waiting:
            value, scope = waiting.pop()
            if isinstance(value, dict):
                self._visit(value, scope)
                waiting.extend(_children(value, scope))
            elif isinstance(value, list):
                waiting.extend((item, scope) for item in value)
        for name in self._bare - self._aliases:
            raise _no_function(name)

    def _visit(self, node: Node, scope: Scope) -> None:
        kind = node.get("type")
        if "class" in node:
            if node["class"] not in CLASSES:
                raise _unknown(str(node["class"]))
        elif isinstance(kind, str):
            if kind not in TYPES:
                raise _unknown(kind)
            if kind in self._REFERENCES:
                self._REFERENCES[kind](self, node, scope)
        if "function_name" in node:
            self._function(node)
        self._name(node)
        if kind == "VALUE_PARAMETER":
            self._parameter(str(node["identifier"]))

    def _table(self, node: Node, scope: Scope) -> None:
        path = tuple(fold_name(part) for part in node["qualified_name"]["path"])
        if node.get("at_clause"):
            raise Refused("AT (time travel) is not there; the mirror shows one moment. Leave it out.", rule="AT clause")
        if path not in scope:
            self._use(path)

    def _use(self, path: TablePath) -> None:
        if path not in self._tables:
            name = ".".join(path)
            if path[-1] in self._as_of_functions:
                raise past_calls.wrong(path[-1], "is a function of a moment")
            raise Refused(
                f"There is no table {name!r} here. {_hint(name, set(self._tables.values()))}",
                rule="table",
            )
        self.named[self._tables[path]] = None

    def _table_function(self, node: Node, _: Scope) -> None:
        called = node["function"]
        name = _function_name(called)
        if name in self._as_of_functions:
            past_calls.check(name, called["arguments"])
            self.behind_functions |= {self._as_of_functions[name]: None, EVENTS: None}
        elif name.endswith(AS_OF):
            raise past_calls.without_history(name, self._as_of_functions)
        elif name not in functions.TABLE_FUNCTIONS:
            raise Refused(
                f"The table function {name!r} cannot be used; {ALLOWED_IN_FROM} can. {_hint(name, ())}",
                rule="table function",
            )
        self._from_calls.add(id(called))

    def _show(self, node: Node, _: Scope) -> None:
        """DESCRIBE and SUMMARIZE hold a query, which is walked like any; SHOW <table> and SHOW TABLES hold a name."""
        if node["query"] is not None:
            return
        path = tuple(fold_name(part) for part in node["qualified_name"]["path"])
        if node["show_type"] == "SHOW":
            self._use(path)
        elif node["show_type"] == "SHOW_SPECIAL" and path == ('"tables"',):
            self.shows_tables = True
        else:
            raise Refused(f"This form of SHOW or DESCRIBE is not allowed. {CATALOG_HINT}", rule="show")

    _REFERENCES: Mapping[str, Callable[["AllowList", Node, Scope], None]] = {
        "BASE_TABLE": _table,
        "TABLE_FUNCTION": _table_function,
        "SHOW_REF": _show,
    }

    def _function(self, node: Node) -> None:
        name = _function_name(node)
        if id(node) in self._from_calls:
            return  # checked as a table function, and its rows are made one by one
        if name in self._as_of_functions:
            raise past_calls.wrong(name, "gives a table")
        if name not in functions.allowed():
            raise _no_function(name)
        if node.get("export_state"):
            raise Refused("EXPORT_STATE cannot be used. Aggregate in one statement.", rule="function")
        if name in functions.GROWING:
            _modest(name, node)

    def _name(self, node: Node) -> None:
        names = [fold_name(name) for name in node.get("column_names", ())]
        if len(names) == 1 and names[0] in BARE_FUNCTIONS:
            self._bare.add(names[0])
        self._aliases |= {fold_name(str(node.get("alias", "")))} - set(names)
        for key in ("column_name_alias", "aliases"):  # of what FROM names, and of a CTE
            self._aliases |= {fold_name(str(name)) for name in node.get(key) or ()}

    def _parameter(self, name: str) -> None:
        if fold_name(name) not in self._parameters:
            raise Refused(
                f"The parameter ${name} has no value. Give one (`--param {name}=...`, over MCP in `params`) or write "
                "the value itself.",
                rule="parameter",
            )


def _children(node: Node, scope: Scope) -> Iterator[tuple[Any, Scope]]:
    """Yield what lies below, each with the CTE names it can see: a CTE sees the ones before it, but not itself."""
    for entry in (node.get("cte_map") or {}).get("map", ()):
        yield entry["value"], scope
        scope |= {(fold_name(entry["key"]),)}
    own = frozenset[TablePath]()
    if node.get("type") == "RECURSIVE_CTE_NODE":
        name = fold_name(node["cte_name"])
        own = frozenset({(name,), ("recurring", name)})
    for key, value in node.items():
        if key != "cte_map" and isinstance(value, dict | list):
            # only the second part of a recursive CTE sees its rows so far
            yield value, scope | own if key == "right" else scope


def _function_name(node: Node) -> str:
    """Return the name without a column (``device_name.upper()``) or schema before it: these all hold the same."""
    return fold_name(str(node["qualified_name"]["path"][-1]))


def _modest(name: str, node: Node) -> None:
    for number in _numbers(node.get("arguments", ())):
        if abs(number) > functions.LARGEST:
            raise Refused(
                f"{name}() with {number:,.0f} makes more than memory holds; at most {functions.LARGEST:,} may be asked "
                "for. `FROM range(...)` makes rows without keeping them.",
                rule="size",
            )


def _numbers(value: Any) -> Iterator[float]:
    """Yield every number written in the arguments, also inside casts and arithmetic."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, dict):
            literal = item.get("literal")
            if isinstance(literal, dict) and literal["kind"] in {"INTEGER", "NUMERIC"}:
                yield float(literal["text"].replace("_", ""))
            waiting.extend(v for v in item.values() if isinstance(v, dict | list))


def _no_function(name: str) -> Refused:
    hint = function_advice(name) or _hint(name, functions.allowed(), FUNCTION_HINT)
    return Refused(f"The function {name!r} cannot be used. {hint}", rule="function")


def _unknown(kind: str) -> Refused:
    words = kind.removesuffix("_NODE").removesuffix("_QUERY").replace("_", " ")
    return Refused(
        f"{words} is not part of a query that only reads. The mirror is read-only: use SELECT, FROM, WITH, PIVOT, "
        "DESCRIBE or SUMMARIZE.",
        rule="node",
    )


def _hint(name: str, known: Collection[str], otherwise: str = CATALOG_HINT) -> str:
    bare = {other.rpartition(".")[2] for other in known}  # each table is known by its short and long names
    if nearest := get_close_matches(name.rpartition(".")[2], bare, n=3, cutoff=0.7):
        return f"Did you mean {' or '.join(nearest)}?"
    return next((hint for marks, hint in HINTS if any(mark in name for mark in marks)), otherwise)
