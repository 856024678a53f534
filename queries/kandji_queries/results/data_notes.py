"""Data notes: what has to be known of the tables behind an answer before it is believed, or is given at all."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from kandji_schema.durations import age, in_future, in_words
from kandji_schema.errors import NotFresh
from kandji_schema.feeds import LOADED, SETTING, feed_of
from kandji_schema.manifest import State, TableState
from kandji_schema.privacy import Privacy
from kandji_schema.utc import in_seconds

OVERDUE = 2
"""Rows older than this many times their time to live are called overdue."""

SYNC_COMMAND = "`kandji-mirror sync`"
"""What reads from the tenant, as a person calls it; a face of another kind passes its own word."""

FEED_COMMANDS = {LOADED: "`kandji-mirror feed load FILE`"}
FEED_COMMAND = "`kandji-mirror feed update`"
"""What reads public feeds, by how they were read before, and by default."""

NAMED = 3
"""Overdue tables that are named in one note."""

MANY = 20
"""Tables of another trouble that are named in one note; `freshness` has all."""

DUE = " old, due after "
"""What notes about the age of tables have in common; other notes are about more than that."""

COUNTED = "Counts are among"
"""How notes on what is counted begin."""

MASKED = (
    "Personal data is masked: equal values have equal pseudonyms (person_..., device_..., path_...), so count and join "
    "by them. Who is behind one cannot be told here."
)
"""What is to be known of every answer from masked files."""


def data_notes(
    states: Iterable[TableState], now: datetime, *, masked: bool = False, remedy: str = SYNC_COMMAND
) -> list[str]:
    """Return a line for each trouble, with the tables that have it and what to do; empty when all is well.

    ``masked`` tells that their masked files are read. ``remedy`` is what reads from the tenant, as it is called here.
    """
    tables: dict[str, list[str]] = {}
    overdue: dict[str, list[TableState]] = {}
    for state in states:
        if words := _note(state, now, masked, _remedy_of(state, remedy)):
            tables.setdefault(words, []).append(state.name)
        elif is_overdue(state.synced_at, state.ttl_seconds, now):
            overdue.setdefault(_what_to_do(state, remedy), []).append(state)
    found = [f"{_few(names, MANY)}: {words}." for words, names in tables.items()]
    return [*found, *(_overdue(late, now, what) for what, late in overdue.items())]


def _remedy_of(state: TableState, remedy: str) -> str:
    """Return what reads a table anew: of a public feed a command, which no tool of other faces can stand for."""
    if feed_of(state.name) is None:
        return remedy
    command = FEED_COMMANDS.get(state.method or "", FEED_COMMAND)
    return command if remedy == SYNC_COMMAND else f"{command}, which is for who runs this mirror,"


def _what_to_do(state: TableState, remedy: str) -> str:
    """Return what ends a note about age; of a public feed that does not move any more, why."""
    if feed_of(state.name) and state.note:
        return f". {state.note.rstrip('.')}"
    return f"; {_remedy_of(state, remedy)} reads what is due"


def flagged_devices(removed: int, missing: int) -> list[str]:
    """Say how many of the devices are removed or missing, in a line; empty where none is."""
    told = [(number, flag) for number, flag in ((removed, "removed"), (missing, "missing")) if number]
    words = " and ".join(f"{number:,} {flag}" for number, flag in told)
    return [f"devices include {words} ({', '.join(f'is_{flag}' for _, flag in told)})."] if told else []


def is_overdue(synced_at: datetime | None, ttl_seconds: int, now: datetime) -> bool:
    """Tell whether rows read at that moment should have been read anew by now; what never was always is.

    So is what was read in the future, by a clock that was ahead: nobody knows how old it is.
    """
    if synced_at is None or in_future(synced_at, now):
        return True
    return (now - synced_at).total_seconds() > OVERDUE * ttl_seconds


def _note(state: TableState, now: datetime, masked: bool, remedy: str) -> str:
    """Return what is wrong with a table apart from its age."""
    if state.state in _TROUBLES:
        return _TROUBLES[state.state](state, now, remedy)
    if in_future(state.synced_at, now):
        return f"synced in the future, so a clock is or was wrong and its age is not known; {remedy} reads what is due"
    if state.privacy is Privacy.ON and not masked and feed_of(state.name) is None:
        return f"read when KANDJI_MIRROR_PRIVACY was on, so with pseudonyms; {remedy} reads it anew"
    return ""


def _overdue(states: Collection[TableState], now: datetime, what_to_do: str) -> str:
    """Say in one line which tables should have been read anew, those first that are latest."""
    lateness = {s.name: (now - s.synced_at).total_seconds() / max(s.ttl_seconds, 1) for s in states if s.synced_at}
    latest = sorted(states, key=lambda state: (-lateness.get(state.name, 0), state.name))
    ages = {s.name: f"{age(s.synced_at, now)}{DUE}{in_words(s.ttl_seconds)}" for s in latest}
    if len(set(ages.values())) == 1:
        return f"{_few(list(ages))}: {ages[latest[0].name]}{what_to_do}."
    return f"Overdue: {_few([f'{name} ({words})' for name, words in ages.items()])}{what_to_do}."


def _few(names: Sequence[str], most: int = NAMED) -> str:
    more = len(names) - most
    return ", ".join(names) if more <= 0 else f"{', '.join(names[:most])} and {more} more"


def _never(state: TableState, _now: datetime, remedy: str) -> str:
    if feed := feed_of(state.name):
        return (
            f"nothing of the public feed {feed.name} was ever read, so nothing is known: set {SETTING}={feed.name} "
            f"where it is off, then {remedy} reads it (or `kandji-mirror feed load FILE`)"
        )
    return f"never synced, so empty here whatever the tenant holds; {remedy} reads what is due"


def _failed(state: TableState, now: datetime, remedy: str) -> str:
    return f"the last sync failed{_because(state)}{_rows(state, now)}; {remedy} tries again"


def _partial(state: TableState, now: datetime, remedy: str) -> str:
    return f"only partly read{_because(state)}{_rows(state, now)}; {remedy} reads what is due"


def _forbidden(state: TableState, now: datetime, _remedy: str) -> str:
    return f"the API token may not read it{_rows(state, now)}; give it the permission in the provider's settings"


def _absent(state: TableState, now: datetime, _remedy: str) -> str:
    return f"not licensed or not offered to this tenant{_rows(state, now)}"


def _because(state: TableState) -> str:
    reason = state.error or state.note
    return f" ({reason.rstrip('.')})" if reason else ""


def _rows(state: TableState, now: datetime) -> str:
    if in_future(state.synced_at, now):
        return ", the rows were read in the future by a wrong clock"
    return f", the rows are {age(state.synced_at, now)} old" if state.synced_at else ", so it is empty here"


_TROUBLES: Mapping[State, Callable[[TableState, datetime, str], str]] = {
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

    def check(self, states: Iterable[TableState], now: datetime, *, masked: bool = False) -> None:
        """:class:`NotFresh` names each table that is not what is required, and why; ``masked`` as above."""
        used = sorted(states, key=lambda state: state.name)
        reasons = [*self._too_old(used, now), *(data_notes(used, now, masked=masked) if self.strict else ())]
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
