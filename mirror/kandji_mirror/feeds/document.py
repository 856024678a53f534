"""A document of a feed as it came: read, recognised by what is in it, and its rows by table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kandji_mirror.api.lenient_json import TooDeep, may_be_deep, parse, too_deep
from kandji_mirror.feeds import kev, sofa
from kandji_mirror.feeds.rows import FeedRows, Row
from kandji_schema.errors import Suspicious
from kandji_schema.feeds import FEEDS, KEV, SOFA, Document, Feed

MOST_BYTES = 32 * 1024 * 1024
"""The largest document that is read; those of today have 0.3 and 1.4 MB."""

_SHOWN = 60


@dataclass(frozen=True)
class FeedDocument:
    """One document of a feed, taken apart: its rows by table, in the feed's own fields.

    ``made_at`` is when it says that it was made, None where it does not. ``odd`` counts members of its lists that were
    no objects, by table; ``unknown`` fields beside the rows that nobody knows, each with how often.
    """

    feed: Feed
    document: Document
    tables: Mapping[str, Sequence[Row]]
    made_at: datetime | None
    odd: Mapping[str, int]
    unknown: Mapping[str, int]


_READERS: Mapping[str, Callable[[Mapping[str, Any], str], FeedRows]] = {"sofa": sofa.rows_of, "kev": kev.rows_of}


def read_document(body: bytes, feed: Feed | None = None) -> FeedDocument:
    """Read a document of a feed, by default of the one that it looks like.

    :class:`Suspicious` says what it is instead: too large, no JSON, a page, another feed or version, nothing in it.
    """
    value = _parsed(body)
    found = _recognised(value)
    if found is None or (feed is not None and found[0] is not feed):
        raise Suspicious(_foreign(value, found[0] if found else None, feed))
    known, document = found
    rows = _READERS[known.name](value, document.name)
    return FeedDocument(known, document, rows.tables, rows.made_at, rows.odd, rows.unknown)


def _parsed(body: bytes) -> Any:
    if len(body) > MOST_BYTES:
        raise Suspicious(f"The document has {len(body):,} bytes; at most {MOST_BYTES:,} are read.")
    if not body.strip():
        raise Suspicious("The document is empty.")
    if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        raise Suspicious("The document is a web page and no JSON: a proxy or a login page answered.")
    try:
        value = parse(body).value
    except TooDeep as error:
        raise Suspicious(f"The document cannot be read: it is {error}.") from None
    except ValueError as error:
        raise Suspicious(f"The document is no whole JSON, so it was cut or is another file: {error}.") from None
    if may_be_deep(body) and too_deep(value):
        raise Suspicious("The document cannot be read: it is nested too deeply.")
    return value


def _recognised(value: Any) -> tuple[Feed, Document] | None:
    """Return which document it is, by the fields that only that one has."""
    if not isinstance(value, dict):
        return None
    if "vulnerabilities" in value:
        return KEV, KEV.documents[0]
    if "OSVersions" in value and (name := sofa.system_of(value)):
        return SOFA, next(document for document in SOFA.documents if document.name == name)
    return None


def _foreign(value: Any, found: Feed | None, wanted: Feed | None) -> str:
    """Say what a document is that is not the one wanted."""
    if found and wanted:
        return f"The document is one of the feed {found.name}, not of {wanted.name}."
    if isinstance(value, dict) and "OSVersions" in value:
        return sofa.why_not(value)
    there = ", ".join(map(repr, list(value)[:4]))[:_SHOWN] if isinstance(value, dict) else f"a {type(value).__name__}"
    named = f"no document of {wanted.name}" if wanted else f"of no feed that is known ({', '.join(FEEDS)})"
    return f"The document is {named}: it has {there or 'no fields'}."
