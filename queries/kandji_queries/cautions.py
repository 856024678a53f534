"""What has to be known of the tables behind an answer before it is believed."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from kandji_schema.durations import age, in_future
from kandji_schema.manifest import State, TableState
from kandji_schema.privacy import Privacy

OVERDUE = 2
"""Rows older than this many times their time to live are called overdue."""

SYNC = "`kandji-mirror sync` reads what is due"

MASKED = (
    "Personal data is masked: equal values have equal pseudonyms (person_..., device_..., path_...), so count and join "
    "by them. Who is behind one cannot be told here."
)
"""What is to be known of every answer from masked files."""


def cautions(states: Iterable[TableState], now: datetime, *, masked: bool = False) -> list[str]:
    """One line for each trouble, with the tables that have it and what to do; empty when all is well.

    ``masked`` tells that their masked files are read, which is said too.
    """
    tables: dict[str, list[str]] = {}
    for state in states:
        if words := _words(state, now, masked):
            tables.setdefault(words, []).append(state.name)
    return [f"{', '.join(names)}: {words}." for words, names in tables.items()]


def is_overdue(synced_at: datetime | None, ttl_seconds: int, now: datetime) -> bool:
    """Whether rows read at that moment should have been read anew by now; what never was always is.

    So is what was read in the future, by a clock that was ahead: nobody knows how old it is.
    """
    if synced_at is None or in_future(synced_at, now):
        return True
    return (now - synced_at).total_seconds() > OVERDUE * ttl_seconds


def _words(state: TableState, now: datetime, masked: bool) -> str:
    if state.state in _TROUBLES:
        return _TROUBLES[state.state](state, now)
    if in_future(state.synced_at, now):
        return f"synced in the future, so a clock is or was wrong and its age is not known; {SYNC}"
    if state.privacy is Privacy.ON and not masked:
        return "read when KANDJI_MIRROR_PRIVACY was on, so with pseudonyms; `kandji-mirror sync` reads it anew"
    if not is_overdue(state.synced_at, state.ttl_seconds, now):
        return ""
    due = age(now - timedelta(seconds=state.ttl_seconds), now)
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
