"""Our own views and macros: one file each, found by looking into the folders.

``views/<name>.sql`` holds a plain SELECT; the engine makes it the view ``<name>``. Its header has ``title``,
``description`` and a line ``column: name | description`` for every column that is not simply one of the tables'. It may
read views that come before it in the alphabet.
``macros/<name>.sql`` holds the ``CREATE MACRO`` statement; :mod:`kandji_queries.folding` says what ``{{name}}`` is in
it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from types import MappingProxyType

from kandji_queries import headers
from kandji_queries.folding import filled
from kandji_schema.audit import COLUMNS as AUDIT

HERE = Path(__file__).parent
ELSEWHERE = MappingProxyType({"audit_log": {column.name: column.description for column in AUDIT}})
"""Columns of views that are described where the rows are defined."""

VIEW_KEYS = frozenset({"title", "description", "column"})
MACRO_KEYS = frozenset({"title", "description"})


@dataclass(frozen=True)
class View:
    """A view of ours. ``columns`` describes the columns that need words of their own."""

    name: str
    title: str
    description: str
    columns: MappingProxyType[str, str]
    sql: str


@dataclass(frozen=True)
class Macro:
    """A macro of ours; ``sql`` creates it."""

    name: str
    title: str
    description: str
    sql: str


@cache
def views(path: Path = HERE / "views") -> MappingProxyType[str, View]:
    """All views by name."""
    return MappingProxyType({name: _view(file) for name, file in headers.folder(path, VIEW_KEYS).items()})


@cache
def macros(path: Path = HERE / "macros") -> MappingProxyType[str, Macro]:
    """All macros by name, each after those that it calls: DuckDB looks for them when one is made."""
    found = {
        name: Macro(name, file.one("title"), file.one("description"), filled(file.sql))
        for name, file in headers.folder(path, MACRO_KEYS).items()
    }
    return MappingProxyType({name: found[name] for name in TopologicalSorter(_calls(found)).static_order()})


def _calls(found: Mapping[str, Macro]) -> dict[str, list[str]]:
    """For each macro the others whose names stand in its text before a parenthesis."""
    return {
        name: [other for other in found if other != name and re.search(rf"\b{other}\(", macro.sql)]
        for name, macro in found.items()
    }


def _view(file: headers.SqlFile) -> View:
    lines = (e.value.partition("|") for e in file.all("column"))
    described = {name.strip(): words.strip() for name, _, words in lines}
    columns = MappingProxyType({**ELSEWHERE.get(file.name, {}), **described})
    return View(file.name, file.one("title"), file.one("description"), columns, file.sql)
