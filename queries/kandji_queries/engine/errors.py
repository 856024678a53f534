"""The engine's errors in our words, with what to write instead where kinds of values do not go together."""

import re

import duckdb

from kandji_queries.advice.dialects import type_advice
from kandji_schema.errors import Failed, MirrorError, StoreDamaged, TookTooLong

_DAMAGE = re.compile(r"(IO Error: )?(Corrupt database file|Could not read enough bytes|The file .* not a valid DuckDB)")
_DAMAGE_CLASSES = (duckdb.Error, duckdb.IOException, duckdb.FatalException, duckdb.InternalException)
_WORD = re.compile(r"""["']?[^\s"']+["']?""")
_PATH_BEGINS = re.compile(r"""(?:^["'])?(?:\b[A-Za-z]:)?[\\/]""")
_QUOTES = "\"'"
_DATA_FILES = (".duckdb", ".wal", ".tmp", ".parquet")
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

LOOKED_AT = 4_000
"""Most characters of it that are looked at: a message may repeat a value of any length."""


def translated(error: duckdb.Error, *, values: bool = True) -> MirrorError:
    """Return our error for the engine's: damaged files, a used-up limit, or a statement that could not be run.

    Without ``values`` nothing of the engine's text is passed on that may repeat a value of the data.
    """
    text = _text(error)
    # the exact class: errors about values, whose texts quote what a statement says, are of other ones
    if type(error) in _DAMAGE_CLASSES and _DAMAGE.match(text):
        return StoreDamaged(f"A data file of the mirror is damaged: {_shortened(text)}")
    if isinstance(error, duckdb.OutOfMemoryException):
        return TookTooLong(OUT_OF_MEMORY)
    return Failed("\n".join(filter(None, [f"{_kind(error)}: {_told(error, values)}", type_advice(text)])))


def brief(text: str) -> str:
    """Return the first sentence of an engine's message."""
    return _shortened(text.partition("\n")[0]).partition(". You might need")[0].rstrip(".") + "."


def _told(error: duckdb.Error, values: bool) -> str:
    if values:
        return _shortened(_text(error))
    if isinstance(error, _ABOUT_NAMES):
        return _shortened(_CANDIDATES.sub("", _text(error)))
    return f"{_without_values(error)} What the value is, is not told while privacy is on."


def _text(error: duckdb.Error) -> str:
    return str(error)[:LOOKED_AT]


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
    text = _WORD.sub(_without_path, text).strip()
    return text if len(text) <= LONGEST else f"{text[:LONGEST].rstrip()} ..."


def _without_path(found: re.Match[str]) -> str:
    """Return a word without the path of a data file in it."""
    word = found[0]
    begins = _PATH_BEGINS.search(word)
    ends = max((word.rfind(suffix) + len(suffix) for suffix in _DATA_FILES if suffix in word), default=0)
    if begins is None or ends < begins.end():
        return word
    return f"{word[: begins.start()]}a data file{word[ends:].lstrip(_QUOTES)}"
