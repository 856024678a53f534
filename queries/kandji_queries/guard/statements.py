"""The first of four layers of defence: which statements may reach the engine at all.

The wall is DuckDB's own syntax tree checked by allow-lists (:mod:`kandji_queries.guard.allow_list`) and, behind
it, the locked engine. sqlglot is a second opinion over MCP, but not on the command line, because importing it takes as
long as starting DuckDB does.

A PIVOT whose columns come from the data DuckDB runs in two steps, and serialises neither. With values named after each
of its ON columns the same text is an ordinary query, and that query's tree is what is checked; the original is what
runs. ``platform`` becomes ``(platform) IN ('')``: this is only added between tokens, so whatever the original reads or
calls the checked text reads or calls too.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from kandji_queries.guard import sql_ast
from kandji_queries.guard.allow_list import CATALOG, AllowList, TablePath
from kandji_queries.lineage.demand import Demand, read_demand
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


KEPT = 256
"""Statements of which the last finding is kept; it follows from text and names alone."""

LONGEST_KEPT = 20_000
"""Characters of a statement of which it is."""

OPTIONS = frozenset({"analyze", "analyse", "format"})
"""Words that may begin a list of options after EXPLAIN."""

PIVOTS = frozenset({"pivot", "pivot_wider"})
CLOSERS = frozenset({")", "]", "}", ";"})
PIVOT_ENDS = CLOSERS | {"using", "group", "order", "limit", "offset"}
"""What follows the last ON column of a PIVOT."""


@dataclass(frozen=True)
class Checked:
    """A statement that may run: its kind (``select``, ``show``, ``explain``), the tables it reads, and its tree."""

    kind: str
    tables: tuple[str, ...]
    tree: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def demand(self) -> Demand:
        """What the statement asks for."""
        return read_demand(self.tree)


class Guard:
    """Checks statements. Thread-safe: every check uses its own connection."""

    def __init__(self, connect: sql_ast.Connect, *, second_opinion: bool = False) -> None:
        """``connect`` gives a connection to an engine without any data; ``second_opinion`` asks sqlglot as well."""
        self._connect = connect
        self._second_opinion = second_opinion
        self._known = self._check if second_opinion else lru_cache(maxsize=KEPT)(self._check)  # anyone's seldom return

    def check(
        self,
        sql: str,
        tables: Collection[str],
        params: Collection[str] = (),
        functions: Mapping[str, str] | None = None,
    ) -> Checked:
        """Say what the statement reads, or why it may not run.

        ``tables`` are the names there are (views included), ``params`` the parameters that will be bound, ``functions``
        our table functions with the table behind each; who calls one reads :data:`EVENTS` too.
        :class:`Refused` names the thing, the rule and what to do instead; :class:`Failed` is a text that is not SQL.
        Without a second opinion the same is said of the same again: the pages ask for what is ours all the time.
        """
        known = self._known if len(sql) <= LONGEST_KEPT else self._check
        return known(sql, tuple(tables), frozenset(params), tuple((functions or {}).items()))

    def _check(
        self, sql: str, tables: tuple[str, ...], params: frozenset[str], ours: tuple[tuple[str, str], ...]
    ) -> Checked:
        functions = dict(ours)
        parsed = sql_ast.parse(sql, self._connect)
        _refuse_unused(params, parsed.parameters)
        if parsed.type == "MULTI":
            parsed = self._named_pivot(sql)
        if parsed.type == "EXPLAIN":
            body = self.check(_explained(sql), tables, params, functions)
            return Checked("explain", body.tables, body.tree)
        if parsed.node is None:
            raise _not_a_query(parsed.type)
        allow_list = AllowList(_paths(tables), {fold_name(name) for name in params}, functions)
        allow_list.check(parsed.node)
        if allow_list.shows_tables:
            return Checked("show", tuple(tables))
        if self._second_opinion:
            from kandji_queries.guard import second_opinion  # with it comes sqlglot

            second_opinion.agree(sql, allow_list.named)
        return Checked("select", tuple({**allow_list.named, **allow_list.behind_functions}), parsed.node)

    def _named_pivot(self, sql: str) -> sql_ast.Parsed:
        """Parse a dynamic PIVOT as if its values were named."""
        try:
            parsed = sql_ast.parse(_with_values(sql), self._connect, longest=2 * sql_ast.LONGEST)
        except Failed as error:
            raise _unclear_pivot() from error
        if parsed.type == "MULTI":
            raise _unclear_pivot()
        return parsed


def _paths(tables: Collection[str]) -> Mapping[TablePath, str]:
    """Return every way to write a table's name; nothing else names a table."""
    prefixes: tuple[TablePath, ...] = ((), ("main",), (CATALOG, "main"))
    return {(*prefix, *fold_name(name).split(".")): name for name in tables for prefix in prefixes}


def _explained(sql: str) -> str:
    """Return the statement after EXPLAIN and its options, as the tokenizer finds it; ANALYZE would run it: refused."""
    sql = plain_blanks(sql)
    found = [token for token in sql_ast.tokens(sql) if token.word]
    words = [token.word for token in found]
    options = words[2 : words.index(")")] if words[1:2] == ["("] and words[2:3] and words[2] in OPTIONS else []
    if {*options, *words[1:2]} & {"analyze", "analyse"}:
        raise Refused("EXPLAIN ANALYZE is not allowed. Use EXPLAIN, or run the query.", rule="explain analyze")
    first = 1 if not options else len(options) + 3
    return sql.encode()[found[first].begin :].decode() if found[first:] else ""


def _refuse_unused(given: Collection[str], wanted: Collection[str]) -> None:
    """Refuse a value that nothing asks for: it is a misspelt name, or a filter that is not there."""
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


def _with_values(sql: str) -> str:
    """Return the statement with values after each ON column that has none; unchanged where there is no such column."""
    sql = plain_blanks(sql)
    encoded = sql.encode()
    done, parts = 0, []
    for offset, added in sorted(_additions(list(sql_ast.tokens(sql)))):
        parts += [encoded[done:offset].decode(), added]
        done = offset
    return "".join([*parts, encoded[done:].decode()])


def _additions(tokens: list[sql_ast.Token]) -> Iterator[tuple[int, str]]:
    """Yield what to add at which offset."""
    for number, (_, _, text) in enumerate(tokens):
        if text in PIVOTS:
            for begin, end in _unnamed(tokens[number + 1 :]):
                yield begin, " ("
                yield end, ") IN ('') "


def _unnamed(tokens: list[sql_ast.Token]) -> Iterator[tuple[int, int]]:
    """Yield where the ON columns without values of one PIVOT begin and end, given what follows the word."""
    begin: int | None = None
    named, last, depth = False, 0, 0
    for _, end, text in tokens:
        begun = begin is not None
        if depth == 0 and text in (PIVOT_ENDS if begun else CLOSERS):
            break
        if depth == 0 and (text == "on" or (text == "," and begun)):
            if begin is not None and not named:
                yield begin, last
            begin, named = end, False
        depth += (text in {"(", "[", "{"}) - (text in {")", "]", "}"})
        named |= depth == 0 and text == "in"
        last = end if text else last
    if begin is not None and not named:
        yield begin, last
