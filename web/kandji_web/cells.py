"""Cells of tables as a page shows them: how a value is written, where it leads, and what is cut at first."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import quote, urlencode

from kandji_queries.browse.browsing import Cell
from kandji_queries.browse.leads import Lead
from kandji_queries.browse.relation import Field, Values
from kandji_queries.results.values import for_eyes, plain
from kandji_schema.text import escaped

LONG = 60
"""Characters of a text that are shown; the whole is behind them."""


@dataclass(frozen=True)
class ShownCell:
    """A value in words. ``whole`` is the text behind a cut one, ``parts`` those of a list, ``lead`` an address.

    ``kind`` is none, number, yes, no, moment, list, text or document. ``exact`` is a moment as machines read it.
    """

    kind: str
    words: str = ""
    whole: str = ""
    parts: tuple[str, ...] = ()
    lead: str = ""
    exact: str = ""


NONE = ShownCell("none")


def shown_cell(cell: Cell) -> ShownCell:
    """Return a cell as a page shows it."""
    lead = path_of(cell.lead) if cell.lead else ""
    value, values = cell.value, cell.field.values
    if value is None:
        return NONE
    if isinstance(value, bool):
        return ShownCell("yes" if value else "no", "yes" if value else "no")
    if isinstance(value, int | float):
        return ShownCell("number", number_words(value, cell.field), lead=lead)
    if isinstance(value, datetime | date):
        return ShownCell("moment", moment_words(value), exact=value.isoformat())
    if values is Values.TEXTS and isinstance(value, list):
        return ShownCell("list", parts=tuple(str(part) for part in value)) if value else ShownCell("text", "none")
    if values is Values.DOCUMENT:
        return _document(value)
    return _text(str(value), lead)


def number_words(value: float, field: Field) -> str:
    """Write a number: thousands apart, but not where it is a name (an id, a port) more than an amount."""
    if isinstance(value, int):
        is_name = field.name in _NAMES or field.name.endswith("_id")
        return str(value) if is_name else f"{value:,}"
    return for_eyes(value)


_NAMES = frozenset({"id", "uid", "gid", "seq", "status", "ordinal", "exit_code"})
"""Whole numbers that name something."""


def moment_words(value: date) -> str:
    """Write a moment to the minute, UTC; a date as it is."""
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else value.isoformat()


def path_of(lead: Lead) -> str:
    """Return the address that something leads to."""
    if lead.is_device:
        return f"/devices/{quote(lead.value, safe='')}"
    wanted = f"?{urlencode({lead.column: lead.value})}" if lead.column else ""
    return f"/tables/{quote(lead.table, safe='')}{wanted}"


def address(table: str, pairs: Iterable[tuple[str, str]], ending: str = "") -> str:
    """Return the address of a view of a table, or with an ``ending`` such as ``.csv`` of its file."""
    query = urlencode([*pairs])
    return f"/tables/{quote(table, safe='')}{ending}{'?' if query else ''}{query}"


def _text(text: str, lead: str) -> ShownCell:
    line = text.strip().split("\n", 1)[0]
    if len(text) <= LONG and line == text.strip():
        return ShownCell("text", text, lead=lead)
    return ShownCell("text", f"{line[:LONG].rstrip()}…", whole=text, lead=lead)


def _document(value: object) -> ShownCell:
    """Show a document as JSON: short ones on a line, others by their beginning with all of it indented behind."""
    try:
        found = json.loads(value) if isinstance(value, str) else plain(value)
        line = json.dumps(found, ensure_ascii=False)
        whole = json.dumps(found, ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):  # cut to what a page gets
        line = whole = escaped(str(value), keep="\n\t")
    if len(line) <= LONG:
        return ShownCell("document", line)
    return ShownCell("document", f"{line[:LONG].rstrip()}…", whole=whole)
