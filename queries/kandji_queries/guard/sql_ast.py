"""The SQL AST: DuckDB's own syntax tree of a statement.

The engine that will run the text is the only parser that is never wrong about it. ``json_serialize_sql`` gives its
tree without binding or running anything, on a connection that holds no data.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import duckdb

from kandji_schema.errors import Failed, Refused
from kandji_schema.sql import fold_name

LONGEST = 20_000
"""Most bytes of a statement: the parser's time grows faster than the text."""

DEEPEST = 100
"""Most brackets inside each other; the engine itself takes 1,000, slowly."""


@dataclass(frozen=True)
class Parsed:
    """One statement: its type (``SELECT``, ``EXPLAIN``, ``MULTI``, ...) and, for SELECT, the tree of its query node."""

    type: str
    parameters: frozenset[str]
    node: dict[str, Any] | None


class Token(NamedTuple):
    """A word, sign or comment: offsets in bytes, ``end`` after the blanks that follow, and its text in small letters.

    The text of a comment is empty.
    """

    begin: int
    end: int
    word: str


LONGEST_WORD = 100
"""Most characters of a word that an error repeats."""

_LONG_WORD = re.compile(rf"\w{{{LONGEST_WORD},}}")

_BRACKETS = re.compile(r"[()\[\]{}]")

Connect = Callable[[], duckdb.DuckDBPyConnection]


def parse(sql: str, connect: Connect, *, longest: int = LONGEST) -> Parsed:
    """Parse exactly one statement of at most ``longest`` bytes.

    ``connect`` gives a fresh connection to an empty engine. :class:`Refused` for a text that is too long, too deep or
    not one statement, :class:`Failed` for one that is not SQL.
    """
    _bounded(sql, longest)
    with connect() as parser:
        statement, kind = _single(sql, parser)
        node = _node(sql, parser) if kind == "SELECT" else None
    return Parsed(kind, frozenset(statement.named_parameters), node)


def written(node: Mapping[str, Any], connect: Connect) -> str:
    """Return the SQL of the tree of a query, as the engine writes it; it is checked like any other before it runs."""
    whole = json.dumps({"error": False, "statements": [{"node": node, "named_param_map": []}]})
    with connect() as parser:
        ((sql,),) = parser.execute("SELECT json_deserialize_sql(?::JSON)", [whole]).fetchall()
    return str(sql)


def tokens(sql: str) -> Iterator[Token]:
    """Yield what the engine's tokenizer makes of a statement whose blanks are plain (:func:`plain_blanks`)."""
    encoded = sql.encode()
    found = duckdb.tokenize(sql)
    ends = [*(offset for offset, _ in found[1:]), len(encoded)]
    for (begin, kind), end in zip(found, ends, strict=True):
        comment = kind is duckdb.token_type.comment
        yield Token(begin, end, "" if comment else fold_name(encoded[begin:end].decode().strip()))


def _bounded(sql: str, longest: int) -> None:
    if len(sql.encode("utf-8", "surrogatepass")) > longest:
        raise Refused(
            f"The statement is longer than {longest:,} bytes. "
            "Join a table or use VALUES in a CTE instead of long lists.",
            rule="length",
        )
    if unreadable := next((c for c in sql if c == "\0" or "\ud800" <= c <= "\udfff"), None):
        raise Refused(f"The statement contains U+{ord(unreadable):04X}, which is no text. Remove it.", rule="no text")
    if _depth(sql) > DEEPEST:
        raise Refused(f"More than {DEEPEST} brackets are open at once. Use CTEs (WITH ...) instead.", rule="depth")


def _depth(sql: str) -> int:
    """Count the most brackets open at once, strings and comments counted too: a bound, not a parse."""
    open_now = deepest = 0
    for bracket in _BRACKETS.findall(sql):
        open_now += 1 if bracket in "([{" else -1
        deepest = max(deepest, open_now)
    return deepest


def _single(sql: str, parser: duckdb.DuckDBPyConnection) -> tuple[duckdb.Statement, str]:
    try:
        statements = [(statement, statement.type.name) for statement in parser.extract_statements(sql)]
    except duckdb.Error as error:
        raise Failed(f"The statement cannot be parsed: {_first_lines(error)}") from error
    except ValueError as error:  # a statement type that DuckDB's Python enum does not have
        raise Refused("Only queries can be run. Start with SELECT, FROM or WITH.", rule="statement type") from error
    if not statements:
        raise Refused("There is no statement. Send one, such as FROM fleet LIMIT 5.", rule="one statement")
    if len(statements) != 1:
        raise Refused(
            f"There are {len(statements)} statements; send exactly one at a time, without a semicolon in between.",
            rule="one statement",
        )
    return statements[0]


def _node(sql: str, parser: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    (text,) = parser.execute("SELECT json_serialize_sql(?)", [sql]).fetchall()[0]
    try:
        tree = json.loads(text)
    except RecursionError as error:
        raise Refused("The statement is nested too deep. Split it with CTEs (WITH ...).", rule="depth") from error
    if tree["error"] or len(tree["statements"]) != 1:
        raise Refused("DuckDB does not show this statement's syntax tree; write it another way.", rule="no tree")
    node: dict[str, Any] = tree["statements"][0]["node"]
    return node


def _first_lines(error: duckdb.Error) -> str:
    said = str(error).removeprefix("Parser Error: ").strip()
    return _LONG_WORD.sub(lambda word: f"{word[0][:LONGEST_WORD]}...", said)
