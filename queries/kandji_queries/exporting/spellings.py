"""How each format is written: the COPY options, and what a column's value becomes on its way out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from kandji_queries.result import Column
from kandji_schema.errors import UnknownName

_MOMENTS = "%Y-%m-%dT%H:%M:%S.%fZ"
_FORMULA = r"^[=+\-@\t\r]"
"""What a spreadsheet takes for the beginning of a formula."""

Spell = Callable[[Column, str], str]
"""From a column and its quoted name to the SQL expression that is written."""


@dataclass(frozen=True)
class Format:
    """One format of files. ``options`` are those of COPY; ``spell`` makes the expression of a column."""

    name: str
    suffix: str
    options: str
    spell: Spell


def _as_it_is(column: Column, name: str) -> str:
    return name


def _as_text(column: Column, name: str) -> str:
    """CSV knows texts only: what is nested is written as JSON, as the command line does it."""
    nested = column.type.endswith("]") or column.type.startswith(("STRUCT", "MAP"))
    return f"to_json({name})::VARCHAR" if nested else name


def without_formulas(spell: Spell) -> Spell:
    """The same, with an apostrophe before each text that a spreadsheet would run."""

    def safe(column: Column, name: str) -> str:
        value = spell(column, name)
        if column.type != "VARCHAR" and value == name:
            return value
        return f"CASE WHEN regexp_matches({value}, '{_FORMULA}') THEN '''' || {value} ELSE {value} END"

    return safe


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        f.name: f
        for f in (
            Format("parquet", ".parquet", "FORMAT parquet, COMPRESSION zstd", _as_it_is),
            Format("csv", ".csv", f"FORMAT csv, HEADER, TIMESTAMPFORMAT '{_MOMENTS}'", _as_text),
            Format("jsonl", ".jsonl", f"FORMAT json, TIMESTAMPFORMAT '{_MOMENTS}'", _as_it_is),
        )
    }
)
"""The formats with one file a table. ``duckdb`` is the other one: all tables in one file."""

DUCKDB = "duckdb"

NAMES = (*FORMATS, DUCKDB)


def format_named(name: str) -> Format:
    """The format of that name; :class:`UnknownName` otherwise."""
    if name not in FORMATS:
        raise UnknownName("format", name, NAMES)
    return FORMATS[name]


def selected(columns: Sequence[Column], sql: str, spell: Spell) -> str:
    """The SELECT whose columns are spelled for the format; names stay."""
    chosen = ", ".join(f"{spell(column, quoted(column.name))} AS {quoted(column.name)}" for column in columns)
    return f"SELECT {chosen} FROM ({sql})"


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
