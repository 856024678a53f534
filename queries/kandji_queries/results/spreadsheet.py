"""CSV that a spreadsheet reads rightly and runs nothing of: people name their devices as they like.

The rules are those of exports (:mod:`kandji_queries.export.copy_files`), for answers that are already in memory.
"""

import unicodedata
from typing import Any, TextIO

from kandji_queries.results.formats import write
from kandji_queries.results.result import Answer, Result
from kandji_queries.results.values import row_converter, text

BOM = "\ufeff"
"""Without it Excel takes a CSV for one in the letters of the machine's own region."""

_SIGNS = frozenset("=+-@\ufe62\ufe63\ufe66\ufe6b\uff0b\uff0d\uff1d\uff20")
_BLANKS = frozenset("\t\r\n")
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180e\u180f\u2800\u3164\uffa0") | frozenset(
    map(chr, range(0xFE00, 0xFE10))
)


def write_csv(answer: Answer, out: TextIO) -> None:
    """Write an answer, with a byte order mark, and texts and heads of which a spreadsheet runs none."""
    convert = row_converter(answer.columns)
    rows = [tuple(map(_safe, convert(row))) for row in answer]
    heads = tuple(column._replace(name=harmless(column.name)) for column in answer.columns)
    out.write(BOM)
    write(Result(columns=heads, rows=rows, as_of=answer.as_of), "csv", out)


def harmless(value: str) -> str:
    """Return a text without control characters, and with an apostrophe before what would be taken for a formula."""
    if value.isprintable() and value[:1].isalnum():
        return value  # nearly all are so
    seen = "".join(c for c in value if c in _BLANKS or unicodedata.category(c) != "Cc")
    return f"'{seen}" if _runs(seen) else seen


def _safe(value: Any) -> Any:
    """Return a value JSON-ready; a text or a list of them harmless."""
    if isinstance(value, str):
        return harmless(value)
    return harmless(text(value)) if isinstance(value, list | dict) else value


def _runs(value: str) -> bool:
    if value[:1] in _BLANKS and value:
        return True
    first = next((c for c in value if not (unicodedata.category(c)[0] in "ZC" or c in _UNSEEN)), "")
    return first in _SIGNS
