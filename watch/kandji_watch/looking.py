"""One look at the mirror for one check: what is found, each thing under its key, and whether what is not, has ended."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from kandji_queries.results.result import Answer
from kandji_queries.results.values import ResultColumn, compact
from kandji_schema.durations import ago, in_future, in_words
from kandji_schema.errors import Failed, MirrorError, NeverSynced, NothingMirrored, UsageError
from kandji_schema.manifest import Manifest, State, TableState, newest_whole
from kandji_schema.registry import resources
from kandji_schema.utc import in_seconds
from kandji_watch.asking import Asker
from kandji_watch.conditions import ROWS, Condition, Number, Older, Rows, Silent
from kandji_watch.definition import Check
from kandji_watch.place import shown

DEVICE_NAMES = ("device_id", "serial_number")
"""Columns that name a device, the first of them in an answer alone."""

THING_NAMES = frozenset(
    {
        *("id", "name", "item", "app", "bundle_id", "path", "file_path", "file_hash", "threat_name", "cve_id", "rule"),
        *("username", "profile", "identifier", "certificate", "common_name", "parameter", "token", "tag", "plan_type"),
        *("process", "command", "uuid"),
    }
)
"""Columns that name another thing, beside those that end with ``_id``."""

OF_DEVICES = frozenset({"blueprint_id", "user_id", "default_blueprint", "blueprint_name", "tenant_id"})
"""Columns that tell something of a device or thing and name another one."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Looked:
    """What was found. ``rows`` are the findings by key, ``as_of`` when each table used was read, None where never.

    ``ends``: what was found before and is not now has ended. ``memory`` is what the next look needs to know of this
    one, ``basis`` what the keys are made of, beside the home: where that changes they cannot be compared.
    """

    rows: Mapping[str, Row]
    as_of: Mapping[str, str | None] = field(default_factory=dict)
    notes: Sequence[str] = ()
    ends: bool = True
    memory: Mapping[str, Any] = field(default_factory=dict)
    basis: str = ""


class Look:
    """Looks at one home; ``now`` is aware UTC, the same for all of one round."""

    def __init__(self, home: Path, asker: Asker, now: datetime) -> None:
        self._home = home
        self._asker = asker
        self._now = now
        self._manifest: Manifest | None = None

    def of(self, check: Check, memory: Mapping[str, Any]) -> Looked:
        """Look for one check; ``memory`` is that of the look before. Raises what makes the answer unknown."""
        kind: type[Condition] = type(check.condition)
        return _LOOKS[kind](self, check, check.condition, memory)

    def manifest(self) -> Manifest:
        """Return the newest whole manifest; :class:`NothingMirrored` where there is none."""
        if self._manifest is None:
            self._manifest, _ = newest_whole(self._home)
        return self._manifest

    def tenant(self) -> str:
        """Return the tenant whose mirror this is; empty where nothing is mirrored."""
        try:
            return self.manifest().tenant
        except MirrorError:
            return ""

    # -- questions -----------------------------------------------------------------------------------------------------

    def _rows(self, check: Check, condition: Rows, memory: Mapping[str, Any]) -> Looked:
        answer = self._answer(check, condition)
        columns = [column.name for column in answer.columns]
        key = _key(check, answer.columns)
        found: dict[str, Row] = {}
        for row in answer:
            named = dict(zip(columns, row, strict=True))
            found.setdefault(compact([named[name] for name in key]), named)
        masked = self._asker.masks(personal=check.personal)
        return self._looked(answer, found, memory, basis=compact([masked, *key]))

    def _number(self, check: Check, condition: Number, memory: Mapping[str, Any]) -> Looked:
        answer = self._answer(check, condition)
        number = _number_of(answer, condition)
        beyond = number > condition.value if condition.above else number < condition.value
        rule = f"{'above' if condition.above else 'below'} {condition.value:,g}"
        found = {"number": {"number": number, "rule": rule}} if beyond else {}
        return self._looked(answer, found, memory, basis=f"number {condition.number}")

    def _answer(self, check: Check, condition: Rows | Number) -> Answer:
        for name in check.needs:
            state = self.manifest().tables.get(name)
            if state is None or state.synced_at is None:
                raise NeverSynced(f"{name} was never read, so nothing is known{_how(name)}.")
        answer = self._asker.ask(condition.question, personal=check.personal, now=self._now)
        if answer.as_of and not any(answer.as_of.values()):
            raise NeverSynced(f"{', '.join(answer.as_of)} never synced, so nothing is known of it.")
        return answer

    def _looked(self, answer: Answer, found: Mapping[str, Row], memory: Mapping[str, Any], *, basis: str) -> Looked:
        dated = {*memory.get("dated", ())}
        gone = [table for table, moment in answer.as_of.items() if moment is None and table in dated]
        known = sorted(dated | {table for table, moment in answer.as_of.items() if moment})
        return Looked(found, answer.as_of, answer.notes, ends=not gone, memory={"dated": known}, basis=basis)

    # -- the mirror itself ---------------------------------------------------------------------------------------------

    def _older(self, _check: Check, condition: Older, _memory: Mapping[str, Any]) -> Looked:
        states = self.manifest().tables
        names = condition.tables or [name for name, state in states.items() if _is_read(state)]
        found = {name: self._late(states[name], condition.times) for name in names if name in states}
        return Looked({name: row for name, row in found.items() if row}, basis="tables")

    def _late(self, state: TableState, times: float) -> Row:
        """Return what is told of a table that is too old; nothing of one that is not."""
        due = {"due_after": in_words(state.ttl_seconds), "state": state.state.value}
        if state.synced_at is None:
            return {"table": state.name, "read": State.NEVER.value, **due}
        ahead = in_future(state.synced_at, self._now)
        if not ahead and (self._now - state.synced_at).total_seconds() <= times * state.ttl_seconds:
            return {}
        read = "in the future, so a clock is or was wrong" if ahead else f"{in_seconds(state.synced_at)}"
        return {"table": state.name, "read": read, **due}

    def _silent(self, _check: Check, condition: Silent, memory: Mapping[str, Any]) -> Looked:
        try:
            manifest = self.manifest()
        except NothingMirrored:
            return Looked({"syncer": {"heard": State.NEVER.value}}, basis="syncer")
        tries = (state.attempted_at for state in manifest.tables.values())
        heard = max(filter(None, (manifest.published_at, *tries)))
        seen = _moment(memory.get("seen_at"))
        if memory.get("heard") != in_seconds(heard) or seen is None or in_future(seen, self._now):
            seen = self._now
        since = seen if in_future(heard, self._now) else heard  # by a clock that was ahead: from when it was seen
        kept = {"heard": in_seconds(heard), "seen_at": in_seconds(seen)}
        silent = self._now - since > condition.after
        row = {"heard": in_seconds(heard), "ago": ago(since, self._now)}
        return Looked({"syncer": row} if silent else {}, memory=kept, basis="syncer")


def _how(table: str) -> str:
    """Say what reads a table that is not read by itself."""
    feed = resources()[table].feed
    return f"; KANDJI_MIRROR_FEEDS={feed.name} has it read" if feed else ""


def _is_read(state: TableState) -> bool:
    return state.synced_at is not None and state.state not in {State.FORBIDDEN, State.ABSENT}


def _moment(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None


def _number_of(answer: Answer, condition: Number) -> float:
    """Return the number that counts; :class:`Failed` where there is none, so that nothing is known."""
    if condition.number == ROWS:
        return answer.row_count
    names = [column.name for column in answer.columns]
    if condition.number not in names:
        raise UsageError(f"number is {shown(condition.number)}; the answer has the columns {', '.join(names)}.")
    if answer.row_count != 1:
        raise Failed(f"The answer has {answer.row_count:,} rows; a number is taken from an answer of one row.")
    value = next(iter(answer))[names.index(condition.number)]
    if isinstance(value, bool) or not isinstance(value, int | float):
        told = "NULL" if value is None else shown(value)
        raise Failed(f"{condition.number} is {told}, no number, so nothing is known.")
    return value


def _key(check: Check, columns: Sequence[ResultColumn]) -> tuple[str, ...]:
    """Return the columns that name a row: those of the check, else by what they are called."""
    names = [column.name for column in columns]
    for part, given in (("key", check.key), ("columns", check.columns)):
        if missing := [name for name in given if name not in names]:
            raise UsageError(f"{part} names {shown(missing[0])}; the answer has the columns {', '.join(names)}.")
    return check.key or tuple(_naming(columns)) or tuple(dict.fromkeys(names))


def _naming(columns: Sequence[ResultColumn]) -> Iterator[str]:
    """Yield the columns that name the thing of a row, the device first."""
    names = list(dict.fromkeys(column.name for column in columns))
    device = next((name for name in DEVICE_NAMES if name in names), None)
    if device:
        yield device
    for name in names:
        named = name in THING_NAMES or name.endswith("_id")
        if named and name not in OF_DEVICES and name not in DEVICE_NAMES:
            yield name


_LOOKS: Mapping[type[Condition], Callable[..., Looked]] = {
    Rows: Look._rows,
    Number: Look._number,
    Older: Look._older,
    Silent: Look._silent,
}
"""How it is looked for each kind of condition."""
