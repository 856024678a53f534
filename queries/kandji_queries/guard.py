"""The first of four fences: which statements may reach the engine at all.

The wall is DuckDB's own syntax tree checked by allow-lists (:mod:`kandji_queries.walk`) and, behind it, the locked
engine. sqlglot is a second opinion over MCP, but not on the command line, because importing it takes as long as
starting DuckDB does.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from kandji_queries import pivot, tree
from kandji_queries.walk import CATALOG, Path, Walk
from kandji_schema.errors import Failed, Refused
from kandji_schema.sql import fold_name, plain_blanks

DONE_INSTEAD = {
    "COPY": "`kandji-mirror sql ... --format csv` writes rows to a file.",
    "EXPORT": "`kandji-mirror sql ... --format csv` writes rows to a file.",
    "ATTACH": "All tables of the mirror are there already; SHOW TABLES lists them.",
    "LOAD": "No extensions can be loaded.",
    "VARIABLE_SET": "Settings cannot be changed; times are UTC.",
    "SET": "Settings cannot be changed; times are UTC.",
    "PRAGMA": "Use SHOW TABLES, DESCRIBE <table> or SUMMARIZE <table>.",
    "CALL": "Write the query itself.",
    "CREATE": "Use a CTE (WITH name AS (...)) for what only this statement needs.",
    "PREPARE": "Write $name for a value and give it as a parameter.",
    "EXECUTE": "Write $name for a value and give it as a parameter.",
}
"""What to do instead of a statement that is no query, by DuckDB's name of its type."""


OPTIONS = frozenset({"analyze", "analyse", "format"})
"""Words that may begin a list of options after EXPLAIN."""


@dataclass(frozen=True)
class Checked:
    """A statement that may run: its kind (``select``, ``show``, ``explain``) and the tables it reads."""

    kind: str
    tables: tuple[str, ...]


class Guard:
    """Checks statements. Thread-safe: every check uses its own connection."""

    def __init__(self, connect: tree.Connect, *, second_opinion: bool = False) -> None:
        """``connect`` gives a connection to an engine without any data; ``second_opinion`` asks sqlglot as well."""
        self._connect = connect
        self._second_opinion = second_opinion

    def check(
        self, sql: str, tables: Collection[str], params: Collection[str] = (), macros: Mapping[str, str] | None = None
    ) -> Checked:
        """Say what the statement reads, or why it may not run.

        ``tables`` are the names there are (views included), ``params`` the parameters that will be bound, ``macros``
        our table functions with the table behind each; who calls one reads :data:`EVENTS` too.
        :class:`Refused` names the thing, the rule and what to do instead; :class:`Failed` is a text that is not SQL.
        """
        parsed = tree.parse(sql, self._connect)
        _all_used(params, parsed.parameters)
        if parsed.type == "MULTI":
            parsed = self._named_pivot(sql)
        if parsed.type == "EXPLAIN":
            body = self.check(_explained(sql), tables, params, macros)
            return Checked("explain", body.tables)
        if parsed.node is None:
            raise _not_a_query(parsed.type)
        walk = Walk(_paths(tables), {fold_name(name) for name in params}, macros or {})
        walk.check(parsed.node)
        if walk.shows_tables:
            return Checked("show", tuple(tables))
        if self._second_opinion:
            self._compare(sql, walk.named)
        return Checked("select", tuple({**walk.named, **walk.behind_macros}))

    def _named_pivot(self, sql: str) -> tree.Parsed:
        """A dynamic PIVOT, parsed as if its values were named."""
        try:
            parsed = tree.parse(pivot.with_values(sql), self._connect, longest=2 * tree.LONGEST)
        except Failed as error:
            raise _unclear_pivot() from error
        if parsed.type == "MULTI":
            raise _unclear_pivot()
        return parsed

    def _compare(self, sql: str, used: Collection[str]) -> None:
        from kandji_queries import sqlglot_view

        sqlglot_view.agree(sql, used)


def _paths(tables: Collection[str]) -> Mapping[Path, str]:
    """Every way to write a table's name; nothing else names a table."""
    prefixes: tuple[Path, ...] = ((), ("main",), (CATALOG, "main"))
    return {(*prefix, *fold_name(name).split(".")): name for name in tables for prefix in prefixes}


def _explained(sql: str) -> str:
    """The statement after EXPLAIN and its options, found with DuckDB's tokenizer; ANALYZE would run it: refused."""
    sql = plain_blanks(sql)
    found = [token for token in tree.tokens(sql) if token.word]
    words = [token.word for token in found]
    options = words[2 : words.index(")")] if words[1:2] == ["("] and words[2:3] and words[2] in OPTIONS else []
    if {*options, *words[1:2]} & {"analyze", "analyse"}:
        raise Refused("EXPLAIN ANALYZE is not allowed. Use EXPLAIN, or run the query.", rule="explain analyze")
    first = 1 if not options else len(options) + 3
    return sql.encode()[found[first].begin :].decode() if found[first:] else ""


def _all_used(given: Collection[str], wanted: Collection[str]) -> None:
    """A value that nothing asks for is a misspelt name, or a filter that is not there."""
    known = {fold_name(name) for name in wanted}
    for name in (name for name in given if fold_name(name) not in known):
        there_are = f"it has {', '.join(f'${other}' for other in sorted(wanted))}" if wanted else "it has none"
        raise Refused(f"The statement has no parameter ${name}; {there_are}.", rule="parameter")


def _unclear_pivot() -> Refused:
    return Refused(
        "It is not clear what this PIVOT reads. Name the values, PIVOT t ON column IN ('a', 'b') USING ..., or put "
        "what it reads and its expressions into a CTE: WITH t AS (...) PIVOT t ON column USING ...",
        rule="pivot",
    )


def _not_a_query(kind: str) -> Refused:
    words = kind.replace("_", " ")
    instead = DONE_INSTEAD.get(kind, "Nothing can be changed by SQL.")
    return Refused(f"{words} statements cannot be run: the mirror is read-only. {instead}", rule="statement type")
