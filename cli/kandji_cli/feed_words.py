"""What commands say of public feeds: which are on, how old each document is, and how the last attempt at it ended.

Read from small files alone, so that ``status`` stays quick.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kandji_schema.durations import age
from kandji_schema.errors import ConfigurationError
from kandji_schema.feed_state import DocumentState, documents, key_of
from kandji_schema.feeds import FEEDS, Document, Feed, enabled
from kandji_schema.settings import Settings
from kandji_schema.utc import in_seconds

HEAD = ("feed", "document", "on", "state", "age", "asked", "tables", "from")

NEVER = "never read"


@dataclass(frozen=True)
class DocumentLine:
    """One document of a feed as a command tells of it."""

    feed: Feed
    document: Document
    on: bool
    known: DocumentState
    source: str

    @property
    def state(self) -> str:
        """How the last attempt at it ended."""
        if self.known.error:
            return "failed"
        return "ok" if self.known.as_of else NEVER

    def cells(self, now: datetime) -> tuple[str, ...]:
        """Return the cells of a table, in the order of :data:`HEAD`."""
        ages = (age(moment, now) if moment else "never" for moment in (self.known.as_of, self.known.checked_at))
        on = "yes" if self.on else "no"
        return (self.feed.name, self.document.name, on, self.state, *ages, ", ".join(self.feed.tables), self.source)

    def facts(self) -> dict[str, Any]:
        """Return what JSON has."""
        known = self.known
        return {
            "on": self.on,
            "state": self.state,
            "as_of": in_seconds(known.as_of),
            "asked_at": in_seconds(known.checked_at),
            "made_at": in_seconds(known.made_at),
            "error": known.error,
            "from": self.source,
        }


def document_lines(settings: Settings) -> Iterator[DocumentLine]:
    """Yield every document there is, of feeds that are off too."""
    known = documents(settings.home)
    names = _on(settings)
    for feed in FEEDS.values():
        base = getattr(settings, f"mirror_feed_{feed.name}_url") or feed.url
        for document in feed.documents:
            state = known.get(key_of(feed.name, document.name), DocumentState())
            source = state.source or f"{base.rstrip('/')}/{document.path}"
            yield DocumentLine(feed, document, feed.name in names, state, source)


def _on(settings: Settings) -> set[str]:
    """Return the names of the feeds that are on; a wrong name is told where feeds are read, and by ``doctor``."""
    try:
        return {feed.name for feed in enabled(settings.mirror_feeds)}
    except ConfigurationError:
        return set()


def in_short(settings: Settings, now: datetime) -> str:
    """Say of every feed in one line whether it is on and how old its documents are."""
    found = list(document_lines(settings))
    return "; ".join(_short(feed, [line for line in found if line.feed is feed], now) for feed in FEEDS.values())


def _short(feed: Feed, lines: list[DocumentLine], now: datetime) -> str:
    on = "on" if lines[0].on else "off"
    told = [_age(line, now, alone=len(lines) == 1) for line in lines if line.known.as_of or line.known.error]
    rest = f" ({', '.join(told)})" if told else (f" ({NEVER})" if lines[0].on else "")
    return f"{feed.name} {on}{rest}"


def _age(line: DocumentLine, now: datetime, *, alone: bool) -> str:
    name = "" if alone else f"{line.document.name} "
    trouble = ", the last attempt failed" if line.known.error else ""
    return f"{name}{age(line.known.as_of, now)} old{trouble}" if line.known.as_of else f"{name}{NEVER}{trouble}"


def by_name(settings: Settings) -> dict[str, Any]:
    """Return what JSON has of every document, by feed and name."""
    return {key_of(line.feed.name, line.document.name): line.facts() for line in document_lines(settings)}
