"""Words of a text, folded as the search folds them, so that whoever is found by a name is masked by it too.

:func:`~kandji_schema.text.fold_text` is the one folding. Here is what counts as a word in a text as it was written:
with characters that nobody sees, in full width, with letters as a web address or a page spells them (``%C3%AB``,
``&euml;``). Such words are folded in Python, once each; DuckDB folds those of plain letters, which nearly all are.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from html import unescape
from unicodedata import normalize
from urllib.parse import unquote

import duckdb

from kandji_schema.text import BLANKS, UNSEEN, common, fold_text


def _looks(plain: str, others: str = "") -> str:
    return "".join(c for c, becomes in common().items() if becomes == plain) + others


def _escaped(codes: Iterable[tuple[int, int]]) -> str:
    return "".join(f"\\x{{{first:x}}}-\\x{{{last:x}}}" for first, last in codes)


def _unseen() -> Iterator[tuple[int, int]]:
    """Ranges of what nobody sees but for blanks, which end a word."""
    blank = re.compile(f"[{BLANKS}]")
    for span in re.findall(".-.|.", UNSEEN, re.DOTALL):
        first, last = ord(span[0]), ord(span[-1])
        blanks = (code for code in range(first, min(last, 0xFFFF) + 1) if blank.match(chr(code)))
        for code in blanks:
            yield first, code - 1
            first = code + 1
        yield first, last


_HIDDEN = _escaped((first, last) for first, last in _unseen() if first <= last)
_ENCLOSED = r"\x{24b6}-\x{24e9}\x{1f130}-\x{1f149}"
"""Letters in circles and squares: symbols to Unicode, which NFKC folds to letters."""

_MORE = rf"\p{{M}}\p{{N}}{_ENCLOSED}{_HIDDEN}"
_APOSTROPHES = "".join(f"\\x{{{ord(c):x}}}" for c in _looks("'"))
_ENCODED = (
    r"%[C-Fc-f][0-9A-Fa-f](?:%[89ABab][0-9A-Fa-f])+|&#[1-9][0-9]{2,5};|&#[xX][1-9A-Fa-f][0-9A-Fa-f]{2,4};|"
    r"&[A-Za-z]{1,2}(?:acute|grave|circ|uml|tilde|ring|cedil|caron|slash|lig|strok);"
)
_SIGN = (
    r"%(?:2[0-9A-Fa-f]|3[A-Fa-f]|40|5[B-Fb-f])|&#(?:[0-9]{1,2}|160);|&#[xX](?:[0-9A-Fa-f]{1,2});|"
    r"&(?:nbsp|amp|apos|quot|period|comma|lowbar|hyphen|dash|commat);"
)

WORD = rf"(?:[^\P{{L}}{_APOSTROPHES}]|[{_MORE}]|{_ENCODED})+"
"""A word of a text, in any script. An apostrophe ends it, also one that is a letter to Unicode."""

_DOT, _AT = ".\uff0e\ufe52\u2024\u3002", "@\uff20\ufe6b"
_DASH = _looks("-").replace("-", "") + "_\uff3f%+\uff0b'-"
EMAIL = (
    rf"[\p{{L}}{_MORE}{_DOT}{_DASH}]*[\p{{L}}{_MORE}{_DASH}](?:[{_AT}]|%40|&#64;|&#[xX]40;|&commat;)"
    rf"[\p{{L}}{_MORE}-][\p{{L}}{_MORE}{_DOT}-]*[{_DOT}](?:\p{{L}}[{_HIDDEN}]*){{2,}}"
)
"""An e-mail address in a text, also as a web address spells it. A dot and letters end it: ``python@3.11`` is none."""

TOKEN = f"{EMAIL}|{_SIGN}|{WORD}|."
"""All that a text is made of; what is neither an address nor a word is a sign."""

SUSPECT = rf"[\p{{L}}{_AT}{_ENCLOSED}]"
"""What a text has that may name somebody."""


def fold_word(raw: str) -> str:
    """Return what a word of a text is compared by: letters and digits only, or nothing where it has none."""
    return "".join(c for c in fold_text(_decoded(raw)) if c.isalnum())


def plain_address(raw: str) -> str:
    """Return an address as its column would have it: without other looks of characters and what nobody sees."""
    seen = re.sub(f"[{UNSEEN}]", "", normalize("NFKC", _decoded(raw.replace("%40", "@"))))
    return seen.replace("\u3002", ".")


def _decoded(raw: str) -> str:
    decoded = unquote(raw) if re.search("%[C-Fc-f]", raw) else raw
    return unescape(decoded) if "&" in decoded else decoded


def map_texts(con: duckdb.DuckDBPyConnection, table: str, query: str, function: Callable[[str], str]) -> None:
    """Make the temporary table ``table`` (raw, mapped): what ``function`` makes of each text of ``query``."""
    raw = [text for (text,) in con.execute(query).fetchall()]
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT unnest($1::VARCHAR[]) AS raw, unnest($2::VARCHAR[]) AS mapped",
        [raw, [function(text) for text in raw]],
    )
