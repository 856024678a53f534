"""The engine's errors in our words; of a column that is not there with what was probably meant."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from difflib import get_close_matches

import duckdb

from kandji_schema.errors import Failed, MirrorError, StoreDamaged, TookTooLong
from kandji_schema.sql import fold_name

_DAMAGE = re.compile(r"(IO Error: )?(Corrupt database file|Could not read enough bytes|The file .* not a valid DuckDB)")
_DAMAGE_CLASSES = (duckdb.Error, duckdb.IOException, duckdb.FatalException, duckdb.InternalException)
_PATH = re.compile(r"""["']?(?:[A-Za-z]:)?[\\/][^\s"']*\.(?:duckdb|wal|tmp|parquet)["']?""")
_INTERNAL_NAME = re.compile(r'"?stored_(\w+)"?\.main\.')
_STACK = re.compile(r"\n\s*(?:Stack Trace|This error signals).*", re.S)
_ADVICE = re.compile(r"\n(?:Use SET|For more information|Possible solutions).*", re.S)  # settings cannot be changed
_OVERLOADS = re.compile(r"Candidate functions:.*", re.S)
_CANDIDATES = re.compile(r"\n+(?:Candidate|Did you mean|LINE).*", re.S)
_ABOUT_NAMES = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)
"""Errors about what a statement says, found before any row is read; after that come columns, of a PIVOT values too."""

OUT_OF_MEMORY = (
    "The statement needs more memory than it may use. Aggregate or filter before joining and sorting. "
    "KANDJI_MIRROR_QUERY_MEMORY_MB sets the limit."
)
LONGEST = 600
"""Most characters of an engine's message that are shown: the position and the nearest names come early."""


def translated(error: duckdb.Error, *, values: bool = True) -> MirrorError:
    """Return our error for the engine's: damaged files, a used-up limit, or a statement that could not be run.

    Without ``values`` nothing of the engine's text is passed on that may repeat a value of the data.
    """
    text = str(error)
    # the exact class: errors about values, whose texts quote what a statement says, are of other ones
    if type(error) in _DAMAGE_CLASSES and _DAMAGE.match(text):
        return StoreDamaged(f"A data file of the mirror is damaged: {_shortened(text)}")
    if isinstance(error, duckdb.OutOfMemoryException):
        return TookTooLong(OUT_OF_MEMORY)
    if values:
        return Failed(f"{_kind(error)}: {_shortened(text)}")
    if isinstance(error, _ABOUT_NAMES):
        return Failed(f"{_kind(error)}: {_shortened(_CANDIDATES.sub('', text))}")
    return Failed(f"{_kind(error)}: {_without_values(error)} What the value is, is not told while privacy is on.")


def _without_values(error: duckdb.Error) -> str:
    if isinstance(error, duckdb.ConversionException):
        return "a value cannot be converted to the type asked for; TRY_CAST gives NULL instead."
    return "a function was given a value it cannot work with; TRY(...) gives NULL instead."


def _kind(error: duckdb.Error) -> str:
    words = re.sub(r"(?<!^)(?=[A-Z])", " ", type(error).__name__.removesuffix("Exception")).capitalize()
    return f"{words} error"


def _shortened(text: str) -> str:
    """Return the text without the class (said before), files, internal names, stack traces, advice and overloads."""
    text = re.sub(r"^[\w ]+ Error: ", "", text.strip())
    for pattern in (_STACK, _ADVICE, _OVERLOADS, _INTERNAL_NAME):
        text = pattern.sub("", text)
    text = _PATH.sub("a data file", text).strip()
    return text if len(text) <= LONGEST else f"{text[:LONGEST].rstrip()} ..."


_MISSING = re.compile(
    r'Binder Error: (?:Referenced column "(?P<a>[^"\n]+)" not found'
    r'|(?:Table|Values list) "[^"\n]+" does not have a column named "(?P<b>[^"\n]+)"'
    r'|Column "(?P<c>[^"\n]+)" (?:in \w+ list not found|does not exist))'
)
_PLACE = re.compile(r"\nLINE \d+:([^\n]*)\n[^\n]*")
NEAREST = 3
LISTED = 40
"""Most columns of a table that are listed when none is near; the widest have more."""

Columns = Mapping[str, Sequence[str]]
"""Names of columns by table."""


def missing_column(
    error: duckdb.BinderException, columns_of: Callable[[str], Sequence[str]], tables: Collection[str], sql: str
) -> Failed | None:
    """Return the error about a column that none of ``tables`` has, with the nearest; None where it is another one."""
    text = str(error)
    found = _MISSING.match(text)
    columns = {table: columns for table in sorted(tables) if (columns := columns_of(table))}
    if found is None or not columns:
        return None
    name = found["a"] or found["b"] or found["c"]
    if any(fold_name(name) in names for names in columns.values()):
        return None  # it is there, but not where it was looked for: the engine's words say more
    return Failed(f"There is no column {name!r} in {' or '.join(columns)}. {_hint(name, columns)}{_place(text, sql)}")


def _nearest(name: str, columns: Columns) -> list[str]:
    """Return columns like a name, as ``table.column``: those that hold it or are held by it, else those spelt alike."""
    name = fold_name(name)
    known = {f"{table}.{column}": column for table, names in columns.items() for column in names}
    holding = [full for full, column in known.items() if name in column or (len(column) > 2 and column in name)]
    words = {full: {column, *column.split("_")} for full, column in known.items()}
    close = get_close_matches(name, set().union(*words.values()), n=NEAREST, cutoff=0.6)
    alike = list(dict.fromkeys(full for wanted in close for full in known if wanted in words[full]))[:NEAREST]
    return sorted(holding, key=lambda full: (not known[full].startswith(name), len(known[full])))[:NEAREST] or alike


def _place(text: str, sql: str) -> str:
    """Return the line with the mark, if it is the caller's: the steps of a PIVOT are statements of the engine's own."""
    place = _PLACE.search(text)
    return f"\n{place[0]}" if place and place[1].strip(". ") in sql else ""


def _hint(name: str, columns: Columns) -> str:
    if near := _nearest(name, columns):
        return f"Did you mean {' or '.join(near)}?"
    return " ".join(f"{table} has {_names(names)}." for table, names in columns.items())


def _names(names: Sequence[str]) -> str:
    return ", ".join(names[:LISTED]) + (f" and {len(names) - LISTED} more" if len(names) > LISTED else "")
