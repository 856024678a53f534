"""How old an answer is, in words, and what a reader of it must know first."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from kandji_schema.manifest import State

if TYPE_CHECKING:
    from kandji_queries.tables import TableInfo

OVERDUE = 2
"""Rows older than this many times their time to live are called overdue."""

TROUBLES: Mapping[State, str] = {
    State.FAILED: "The last sync failed; the rows are those of the sync before",
    State.FORBIDDEN: "The API token may not read it; rows are those of the last sync that could",
    State.NEVER: "Never synced, so empty here whatever the tenant holds",
}
"""What a state that is not ``ok`` means for an answer."""


def in_words(moment: str | None, now: datetime) -> str:
    """``2026-11-20T12:00:00Z`` as an age: ``5 min``, ``3 h``, ``never synced``."""
    from kandji_mirror.cli.status import age  # brings rich, which only the first answer should wait for

    return age(datetime.fromisoformat(moment), now) if moment else State.NEVER.value


def cautions(tables: "Iterable[TableInfo]", now: datetime) -> list[str]:
    """One sentence for each kind of trouble with the tables of an answer, worst first; empty when all is well."""
    tables = list(tables)
    troubles = (_named(words, [t for t in tables if t.state == state.value]) for state, words in TROUBLES.items())
    return [*filter(None, troubles), *_overdue(tables, now)]


def is_overdue(age: float | None, ttl: float | None) -> bool:
    """Whether rows of this age, in seconds, should have been read anew; what was never synced always is."""
    return age is None or ttl is None or age > OVERDUE * ttl


def _named(words: str, tables: "list[TableInfo]") -> str:
    reasons = (f"{t.name} ({t.error})" if t.error else t.name for t in tables)
    return f"{words}: {', '.join(reasons)}." if tables else ""


def _overdue(tables: "Iterable[TableInfo]", now: datetime) -> Iterator[str]:
    old = [t for t in tables if t.synced_at and is_overdue(t.age_seconds, t.ttl_seconds)]
    if old:
        ages = ", ".join(f"{t.name} ({in_words(t.synced_at, now)} old)" for t in old)
        yield f"Overdue for a sync: {ages}. `kandji-mirror sync` reads what is due."
