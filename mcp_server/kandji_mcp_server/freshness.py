"""How old an answer is, in words, and what a reader of it must know first."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from kandji_schema.ages import age
from kandji_schema.manifest import State

if TYPE_CHECKING:
    from kandji_queries.tables import TableInfo

OVERDUE = 2
"""Rows older than this many times their time to live are called overdue."""

TROUBLES: Mapping[State, str] = {
    State.FAILED: "The last sync failed; the rows, if any, are those of the last good one",
    State.FORBIDDEN: "The API token may not read it; the rows, if any, are those of the last sync that could",
    State.NEVER: "Never synced, so empty here whatever the tenant holds",
}
"""What a state that is not ``ok`` means for an answer."""


def in_words(synced_at: str | None, now: datetime) -> str:
    """``2026-11-20T12:00:00Z`` as an age: ``5 min``, ``3 h``, ``never synced``."""
    return age(datetime.fromisoformat(synced_at), now) if synced_at else State.NEVER.value


def cautions(tables: "Iterable[TableInfo]", now: datetime) -> list[str]:
    """One sentence for each kind of trouble with the tables of an answer, worst first; empty when all is well."""
    tables = list(tables)
    troubles = (_named(words, [t for t in tables if t.state == state.value]) for state, words in TROUBLES.items())
    return [*filter(None, troubles), *_overdue(tables, now)]


def is_overdue(synced_at: datetime | None, ttl_seconds: int, now: datetime) -> bool:
    """Whether rows read at that moment should have been read anew by now; what was never synced always is."""
    return synced_at is None or (now - synced_at).total_seconds() > OVERDUE * ttl_seconds


def _named(words: str, tables: "list[TableInfo]") -> str:
    reasons = (f"{t.name} ({t.error})" if t.error else t.name for t in tables)
    return f"{words}: {', '.join(reasons)}." if tables else ""


def _overdue(tables: "Iterable[TableInfo]", now: datetime) -> Iterator[str]:
    synced = ((t, datetime.fromisoformat(t.synced_at)) for t in tables if t.synced_at)
    old = [t for t, synced_at in synced if is_overdue(synced_at, t.ttl_seconds or 0, now)]
    if old:
        ages = ", ".join(f"{t.name} ({in_words(t.synced_at, now)} old)" for t in old)
        yield f"Overdue for a sync: {ages}. `kandji-mirror sync` reads what is due."
