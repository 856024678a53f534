"""What a name stands for: a table, a view, a named query, a macro, or a table as it was."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kandji_queries import definitions
from kandji_queries.catalog.dictionary import ColumnInfo, TableDetail, TableInfo
from kandji_queries.catalog.own_queries import own_queries
from kandji_queries.catalog.queries import NamedQuery, catalog
from kandji_queries.relations import AS_OF, BETWEEN, MOMENT, past_call
from kandji_schema.errors import NothingMirrored, UnknownName
from kandji_schema.sql import fold_name
from kandji_schema.things import PRISM

if TYPE_CHECKING:
    from kandji_queries.reader import Reader

FEW = 3
"""More tables of one kind than this are counted, not named."""

_CALL = re.compile(r"MACRO\s+(?:\w+\.)?(\w+\([^)]*\))", re.I)


@dataclass(frozen=True)
class QueryDetail:
    """A named query and the columns of its answer in their order."""

    query: NamedQuery
    columns: tuple[ColumnInfo, ...]


@dataclass(frozen=True)
class ColumnDetail:
    """One column of a table or view."""

    table: str
    column: ColumnInfo


@dataclass(frozen=True)
class MacroDetail:
    """A macro; ``call`` is how it is written, ``version_key(text)``."""

    macro: definitions.Macro
    call: str


@dataclass(frozen=True)
class PastDetail:
    """A function that shows ``table`` as it was at a moment."""

    function: str
    table: TableDetail

    @property
    def call(self) -> str:
        """How it is called."""
        return past_call(self.function)

    @property
    def title(self) -> str:
        """What it gives, in words."""
        if self.function == BETWEEN:
            return (
                f"The rows of {self.table.info.name} from one moment on to before another, without reading all of them"
            )
        return f"{self.table.info.name} as it was at a moment"


Detail = TableDetail | ColumnDetail | QueryDetail | MacroDetail | PastDetail


def describe(reader: "Reader", name: str) -> Detail:
    """Return what a name stands for, ``table.column`` too, by the definitions alone where nothing is mirrored.

    :class:`UnknownName` offers the nearest of all names there are.
    """
    folded = fold_name(name.strip())
    own = own_queries(reader.home)
    if folded in catalog() or folded in own.queries or folded in own.broken:
        return describe_query(reader.named(folded))
    if folded in definitions.macros():
        return _macro(definitions.macros()[folded])
    past = past_functions(reader)
    table, dot, column = (part.strip().strip('"') for part in name.partition("."))
    if dot and fold_name(table) in {info.name for info in table_infos(reader)}:
        return _column(_table(reader, fold_name(table)), column)
    try:
        return PastDetail(folded, _table(reader, past[folded])) if folded in past else _table(reader, name)
    except UnknownName as error:
        known = [*(info.name for info in table_infos(reader)), *catalog(), *own.queries, *definitions.macros(), *past]
        raise UnknownName("table, view, query or macro", name, known) from error


def _column(detail: TableDetail, name: str) -> ColumnDetail:
    known = {column.name: column for column in detail.columns}
    if fold_name(name) not in known:
        raise UnknownName(f"column of {detail.info.name}", name, known)
    return ColumnDetail(detail.info.name, known[fold_name(name)])


def describe_query(query: NamedQuery) -> QueryDetail:
    """Return a query with the columns of its answer; it takes no mirror."""
    from kandji_queries.catalog.declared import DeclaredMirror  # with it come the definitions of all tables

    return QueryDetail(query, DeclaredMirror().columns(query))


def table_infos(reader: "Reader") -> list[TableInfo]:
    """Return every table and view; where nothing is mirrored, as they are defined."""
    try:
        return reader.tables()
    except NothingMirrored:
        from kandji_queries.catalog.declared import DeclaredMirror  # with it come the definitions of all tables

        return DeclaredMirror().tables()


def functions_in_short(reader: "Reader") -> str:
    """Return in a few words which functions there are beside DuckDB's: tables as they were, and macros."""
    tables = [function.removesuffix(AS_OF) for function in past_functions(reader) if function.endswith(AS_OF)]
    named = [*(table for table in tables if not table.startswith(PRISM)), *_all_prism(tables)]
    past = f"T_as_of(moment), T = {', '.join(named)}: FROM devices{AS_OF}({MOMENT}); " if named else ""
    return f"{past}{BETWEEN}(from, to). {', '.join(sorted(definitions.macros()))}."


def _all_prism(tables: Iterable[str]) -> list[str]:
    """Write the names of many tables that begin alike as one."""
    found = [table for table in tables if table.startswith(PRISM)]
    return [f"{len(found)} {PRISM}..."] if len(found) > FEW else found


def past_functions(reader: "Reader") -> Mapping[str, str]:
    """Return our table functions with the table or view behind each; none where nothing is mirrored."""
    try:
        return reader.functions()
    except NothingMirrored:
        return {}


def _table(reader: "Reader", name: str) -> TableDetail:
    try:
        return reader.describe(name)
    except NothingMirrored:
        from kandji_queries.catalog.declared import DeclaredMirror  # with it come the definitions of all tables

        return DeclaredMirror().describe(name)


def _macro(macro: definitions.Macro) -> MacroDetail:
    call = _CALL.search(macro.sql)
    return MacroDetail(macro, call[1] if call else macro.name)
