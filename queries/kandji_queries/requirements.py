"""What the tables behind an answer must be before it is given at all: for scripts that must not go on with less."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from kandji_queries.cautions import cautions
from kandji_schema.durations import age, in_words
from kandji_schema.errors import NotFresh
from kandji_schema.manifest import TableState

AHEAD = timedelta(minutes=1)
"""How far in the future a table may be dated, by clocks that differ, for its age to be known."""


@dataclass(frozen=True, kw_only=True)
class Requirements:
    """Bounds for the tables a statement uses.

    ``max_age`` bounds the age of every one. ``strict`` takes only those of which nothing is to be said: synced, whole,
    and not overdue.
    """

    max_age: timedelta | None = None
    strict: bool = False

    def check(self, states: Iterable[TableState], now: datetime) -> None:
        """:class:`NotFresh` names each table that is not what is required, and why."""
        used = sorted(states, key=lambda state: state.name)
        reasons = [*self._too_old(used, now), *(cautions(used, now) if self.strict else ())]
        if reasons:
            raise NotFresh(" ".join(["What was asked for is not there, so nothing is answered.", *reasons]))

    def _too_old(self, states: Iterable[TableState], now: datetime) -> Iterator[str]:
        for state in states:
            if self.max_age is not None and not _within(self.max_age, state.synced_at, now):
                most = in_words(self.max_age.total_seconds())
                yield f"{state.name}: {_old(state.synced_at, now)}, not at most {most}."


def _within(most: timedelta, synced_at: datetime | None, now: datetime) -> bool:
    return synced_at is not None and -AHEAD <= now - synced_at <= most


def _old(synced_at: datetime | None, now: datetime) -> str:
    if synced_at is not None and synced_at > now + AHEAD:
        return f"dated in the future ({synced_at:%Y-%m-%dT%H:%M:%SZ})"
    return "never synced" if synced_at is None else f"{age(synced_at, now)} old"
