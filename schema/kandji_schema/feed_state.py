"""What a home knows of each document of a feed beside its rows: how old it is, and how the last attempt at it ended.

One small JSON file, ``store/feeds.json``, written after the rows are published. Without it documents are read anew.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from kandji_schema.feeds import Feed
from kandji_schema.files import write_atomically


@dataclass(frozen=True)
class DocumentState:
    """One document of a feed. Times are aware UTC.

    ``as_of`` is the moment of which its rows are, None where none were ever taken; ``checked_at`` when it was last
    looked for. ``source`` is the address or the file they came from. ``etag`` and ``modified`` are what the server said
    of that version. ``error`` is why the newest attempt brought nothing, None where it did; ``made_at`` when the
    document says that it was made.
    """

    as_of: datetime | None = None
    checked_at: datetime | None = None
    made_at: datetime | None = None
    source: str = ""
    etag: str | None = None
    modified: str | None = None
    error: str | None = None


def documents(home: Path) -> Mapping[str, DocumentState]:
    """Return what is known of each document, by feed and name as :func:`key_of` joins them."""
    try:
        found = json.loads(_file(home).read_bytes())
        return {str(name): _read(entry) for name, entry in found["documents"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def note_documents(home: Path, states: Mapping[str, DocumentState]) -> None:
    """Write down what is known now of some documents; the others stay. :class:`OSError` where it cannot be."""
    known = {**documents(home), **states}
    body = {"documents": {name: asdict(state) for name, state in known.items()}}
    write_atomically(_file(home), json.dumps(body, default=datetime.isoformat, indent=1).encode())


def key_of(feed: str, document: str) -> str:
    """Return the name of a document of a feed in the file."""
    return f"{feed}/{document}"


def ages(feed: Feed, states: Mapping[str, DocumentState]) -> dict[str, datetime | None]:
    """Return by name the moment of which the rows of each document of a feed are; None where there are none."""
    found = {document.name: states.get(key_of(feed.name, document.name)) for document in feed.documents}
    return {name: state.as_of if state else None for name, state in found.items()}


_TIMES = ("as_of", "checked_at", "made_at")


def _read(entry: Mapping[str, Any]) -> DocumentState:
    known = {name: entry[name] for name in DocumentState.__dataclass_fields__ if name in entry}
    times = {name: datetime.fromisoformat(text) for name in _TIMES if (text := entry.get(name))}
    return DocumentState(**{**known, **times})


def _file(home: Path) -> Path:
    return home / "store" / "feeds.json"
