"""Data notes: what has to be known of the tables behind an answer before it is believed, or is given at all."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from kandji_schema.durations import age, in_future, in_words
from kandji_schema.errors import NotFresh
from kandji_schema.manifest import State, TableState
from kandji_schema.privacy import Privacy
from kandji_schema.utc import in_seconds

OVERDUE = 2
"""Rows older than this many times their time to live are called overdue."""

SYNC = "`kandji-mirror sync` reads what is due"

MASKED = (
    "Personal data is masked: equal values have equal pseudonyms (person_..., device_..., path_...), so count and join "
    "by them. Who is behind one cannot be told here."
)
"""What is to be known of every answer from masked files."""


def data_notes(states: Iterable[TableState], now: datetime, *, masked: bool = False) -> list[str]:
    """Return a line for each trouble, with the tables that have it and what to do; empty when all is well.

    ``masked`` tells that their masked files are read, which is said too.
    """
    tables: dict[str, list[str]] = {}
    for state in states:
        if words := _note(state, now, masked):
            tables.setdefault(words, []).append(state.name)
    return [f"{', '.join(names)}: {words}." for words, names in tables.items()]


def is_overdue(synced_at: datetime | None, ttl_seconds: int, now: datetime) -> bool:
    """Tell whether rows read at that moment should have been read anew by now; what never was always is.

    So is what was read in the future, by a clock that was ahead: nobody knows how old it is.
    """
    if synced_at is None or in_future(synced_at, now):
        return True
    return (now - synced_at).total_seconds() > OVERDUE * ttl_seconds


def _note(state: TableState, now: datetime, masked: bool) -> str:
    if state.state in _TROUBLES:
        return _TROUBLES[state.state](state, now)
    if in_future(state.synced_at, now):
        return f"synced in the future, so a clock is or was wrong and its age is not known; {SYNC}"
    if state.privacy is Privacy.ON and not masked:
        return "read when KANDJI_MIRROR_PRIVACY was on, so with pseudonyms; `kandji-mirror sync` reads it anew"
    if not is_overdue(state.synced_at, state.ttl_seconds, now):
        return ""
    due = in_words(state.ttl_seconds)
    return f"{age(state.synced_at, now)} old, due after {due}; {SYNC}"


def _never(state: TableState, now: datetime) -> str:
    return f"never synced, so empty here whatever the tenant holds; {SYNC}"


def _failed(state: TableState, now: datetime) -> str:
    return f"the last sync failed{_because(state)}{_rows(state, now)}; `kandji-mirror sync` tries again"


def _partial(state: TableState, now: datetime) -> str:
    return f"only partly read{_because(state)}{_rows(state, now)}; {SYNC}"


def _forbidden(state: TableState, now: datetime) -> str:
    return f"the API token may not read it{_rows(state, now)}; give it the permission in the provider's settings"


def _absent(state: TableState, now: datetime) -> str:
    return f"not licensed or not offered to this tenant{_rows(state, now)}"


def _because(state: TableState) -> str:
    reason = state.error or state.note
    return f" ({reason.rstrip('.')})" if reason else ""


def _rows(state: TableState, now: datetime) -> str:
    if in_future(state.synced_at, now):
        return ", the rows were read in the future by a wrong clock"
    return f", the rows are {age(state.synced_at, now)} old" if state.synced_at else ", so it is empty here"


_TROUBLES: Mapping[State, Callable[[TableState, datetime], str]] = {
    State.NEVER: _never,
    State.FAILED: _failed,
    State.PARTIAL: _partial,
    State.FORBIDDEN: _forbidden,
    State.ABSENT: _absent,
}
"""What a state that is not ``ok`` means for an answer."""


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
        reasons = [*self._too_old(used, now), *(data_notes(used, now) if self.strict else ())]
        if reasons:
            raise NotFresh(" ".join(["What was asked for is not there, so nothing is answered.", *reasons]))

    def _too_old(self, states: Iterable[TableState], now: datetime) -> Iterator[str]:
        for state in states:
            if self.max_age is not None and (why := _too_old(state.synced_at, self.max_age, now)):
                yield f"{state.name}: {why}, not at most {in_words(self.max_age.total_seconds())}."


def _too_old(synced_at: datetime | None, most: timedelta, now: datetime) -> str:
    """Say why rows read at that moment are not young enough; empty where they are."""
    if synced_at is None:
        return "never synced"
    if in_future(synced_at, now):
        return f"dated in the future ({in_seconds(synced_at)})"
    return f"{age(synced_at, now)} old" if now - synced_at > most else ""
