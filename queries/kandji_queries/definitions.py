"""Our own views and macros: one file each, found by looking into the folders.

``views/<name>.sql`` holds a plain SELECT; the engine makes it the view ``<name>``. Its header has ``title``, ``key``
(the columns that tell its rows apart, in the order in which they are shown; ``desc`` after one means the greatest
first), ``description``, a line ``column: name | description`` for every column that is not simply one of the tables',
and lines ``ask: question | statement`` as examples. It may read views that come before it in the alphabet.

``macros/<name>.sql`` holds the ``CREATE MACRO`` statement; in that of ``folded``, ``{{name}}`` stands for a table of
:mod:`kandji_schema.text`. DuckDB has no NFKC: what is met every day (kinds of apostrophe, dash and a few letters) is
told by ``translate``; the thousands of other looks of characters (full width, mathematical, circled, ligatures) are
looked up one by one, and only in texts that have any, because that takes ten times as long.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from types import MappingProxyType

from kandji_queries import sql_files
from kandji_schema.audit import COLUMNS as AUDIT
from kandji_schema.sql import in_quotes
from kandji_schema.text import BLANKS, DROPPED, UNSEEN, common, folds

HERE = Path(__file__).parent
ELSEWHERE = MappingProxyType({"audit_log": {column.name: column.description for column in AUDIT}})
"""Columns of views that are described where the rows are defined."""

VIEW_KEYS = frozenset({"title", "key", "description", "column", "ask"})
MACRO_KEYS = frozenset({"title", "description"})


@dataclass(frozen=True)
class View:
    """A view of ours. ``columns`` describes the columns that need words of their own.

    ``asks`` are statements by the question that each answers. ``key`` has the columns that tell its rows apart, and of
    each whether the greatest comes first.
    """

    name: str
    title: str
    description: str
    columns: MappingProxyType[str, str]
    sql: str
    asks: MappingProxyType[str, str]
    key: tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class Macro:
    """A macro of ours; ``sql`` creates it."""

    name: str
    title: str
    description: str
    sql: str


@cache
def views(path: Path = HERE / "views") -> MappingProxyType[str, View]:
    """Return all views by name."""
    return MappingProxyType({name: _view(file) for name, file in sql_files.folder(path, VIEW_KEYS).items()})


@cache
def macros(path: Path = HERE / "macros") -> MappingProxyType[str, Macro]:
    """Return all macros by name, each after those that it calls: DuckDB looks for them when one is made."""
    found = {
        name: Macro(name, file.one("title"), file.one("description"), filled(file.sql))
        for name, file in sql_files.folder(path, MACRO_KEYS).items()
    }
    return MappingProxyType({name: found[name] for name in TopologicalSorter(_calls(found)).static_order()})


def _calls(found: Mapping[str, Macro]) -> dict[str, list[str]]:
    """Return for each macro the others whose names stand in its text before a parenthesis."""
    return {
        name: [other for other in found if other != name and re.search(rf"\b{other}\(", macro.sql)]
        for name, macro in found.items()
    }


def _view(file: sql_files.SqlFile) -> View:
    columns = MappingProxyType({**ELSEWHERE.get(file.name, {}), **dict(map(sql_files.column, file.all("column")))})
    asks = MappingProxyType(dict(map(sql_files.column, file.all("ask"))))
    return View(file.name, file.one("title"), file.one("description"), columns, file.sql, asks, _key(file.one("key")))


def _key(text: str) -> tuple[tuple[str, bool], ...]:
    parts = (part.split() for part in text.split(","))
    return tuple((name, direction == ["desc"]) for name, *direction in parts)


SEPARATOR = "\n"
"""Stands between the plain forms of the rare characters; no folded text has it."""


@cache
def marks() -> dict[str, str]:
    """Return what stands for ``{{name}}`` in the text of a macro, inside of quotes."""
    singles = {character: plain for character, plain in common().items() if len(plain) == 1}
    rare = {character: plain for character, plain in sorted(folds().items(), key=_place) if character not in common()}
    return {
        "blanks": _escaped(BLANKS.replace("\x20", "\x1f")),
        "unseen": _escaped(UNSEEN),
        "dropped": DROPPED,
        "any_common": _escaped("".join(common())),
        "common": in_quotes("".join(singles)),
        "common_plain": in_quotes("".join(singles.values())),
        "rare": " ".join(str(ord(character)) for character in rare),
        "rare_plain": in_quotes(SEPARATOR.join(rare.values())),
        "any_rare": "".join(_ranges(map(ord, rare))),
    }


def filled(sql: str) -> str:
    """Return the text of a macro with its tables in it."""
    for name, text in marks().items() if "{{" in sql else ():
        sql = sql.replace(f"{{{{{name}}}}}", text)
    return sql


def _place(fold: tuple[str, str]) -> tuple[bool, str]:
    """Put full and half width first: of the rare ones they are met most, and the first are found soonest."""
    return not "\uff00" <= fold[0] <= "\uffef", fold[0]


def _escaped(characters: str) -> str:
    """Return the inside of a class of a regular expression, in ASCII."""
    return "".join(c if c == "-" else f"\\x{{{ord(c):x}}}" for c in characters)


def _ranges(codes: Iterable[int]) -> list[str]:
    spans: list[list[int]] = []
    for code in sorted(codes):
        if spans and spans[-1][1] == code - 1:
            spans[-1][1] = code
        else:
            spans.append([code, code])
    return [f"{chr(first)}-{chr(last)}" if first < last else chr(first) for first, last in spans]
