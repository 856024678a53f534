"""What the tenant shows of an action that was sent: the device's command list, its row, or its absence.

Asked where an answer was lost, and later for its status.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from kandji_mirror.api.client import Client
from kandji_mirror.api.endpoint import quote_segment
from kandji_mirror.api.lenient_json import parse
from kandji_mirror.audit.log import Attempt
from kandji_schema.actions import actions
from kandji_schema.actions.record import Action, OutcomeCheck
from kandji_schema.audit import NEVER_HAPPENED, Outcome
from kandji_schema.errors import MirrorError, NotFound
from kandji_schema.provider import PAGE_ROWS
from kandji_schema.utc import aware_utc

STATES: Mapping[int, str] = MappingProxyType({1: "pending", 2: "running", 3: "completed", 4: "failed", 5: "not now"})
"""The provider's numbers for the state of a command (its contract)."""

SLACK = timedelta(seconds=2)
"""Its ``Date`` header has whole seconds, and requests take a moment."""

_MOST_PAGES = 20
_EVER = datetime(1970, 1, 2, tzinfo=UTC)
_LATEST = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Command:
    """One command of the device's list, as far as anybody asks."""

    uuid: str
    type: str
    state: str
    requested: datetime
    completed: str
    error: str

    def words(self) -> str:
        """Return the command in one line."""
        ended = f", completed {self.completed}" if self.completed else ""
        return f"{self.type} requested {self.requested:%Y-%m-%d %H:%M:%S} UTC: {self.state}{ended}{self.error}"


@dataclass(frozen=True)
class ObservedOutcome:
    """What was found. ``state`` is a state of a command, ``done``, ``not found`` or ``not known``."""

    state: str
    words: str


@dataclass(frozen=True)
class SentAction:
    """One request whose trace is looked for. ``since`` is when it was sent, aware UTC by the provider's clock.

    None looks for the newest of its kind, whoever sent it. ``known`` are identifiers of earlier commands.
    """

    action: Action
    device_id: str
    since: datetime | None
    body: Mapping[str, Any]
    known: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ActionStatus:
    """A recorded attempt, and what the tenant shows of it now; None where there is nothing to look for."""

    attempt: Attempt
    observed: ObservedOutcome | None


def check_outcome(client: Client, sent: SentAction) -> ObservedOutcome:
    """Ask the tenant what became of a request. Trouble with asking is an answer of its own, never raised."""
    try:
        return _CHECKS[sent.action.checked_by](client, sent)
    except MirrorError as error:
        return ObservedOutcome("not known", f"The tenant could not be asked what became of it: {error}")


def check_attempt(client: Client, attempt: Attempt) -> ObservedOutcome | None:
    """Ask what became of a recorded attempt; None where nothing came of it, or something was only read."""
    intent = attempt.intent
    action = actions().get(str(intent["action"])) if intent else None
    if intent is None or action is None or action.method == "GET" or attempt.outcome in NEVER_HAPPENED:
        return None
    since = None if attempt.outcome == Outcome.PENDING else datetime.fromisoformat(str(intent["sent_at"]))
    return check_outcome(client, SentAction(action, str(intent["device_id"]), since, _recorded_body(action, intent)))


def _recorded_body(action: Action, intent: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the body of a recorded request, as far as it was kept."""
    try:
        values = json.loads(intent["arguments"] or "{}")
    except ValueError:
        return {}
    return {key: value for key, value in (action.body(values) or {}).items() if value != "***"}


def known_commands(client: Client, action: Action, device_id: str) -> frozenset[str]:
    """Return commands of the action's kind that the device has now; none where they cannot be read."""
    if action.checked_by is not OutcomeCheck.COMMANDS:
        return frozenset()
    try:
        return frozenset(c.uuid for c in commands(client, device_id) if _is_ours(c, action))
    except MirrorError:
        return frozenset()


def commands(client: Client, device_id: str) -> Iterator[Command]:
    """Read every command of a device that can be read."""
    path = f"/api/v1/devices/{quote_segment(device_id)}/commands"
    for page in range(_MOST_PAGES):
        answer = client.get(path, (("limit", str(PAGE_ROWS)), ("offset", str(PAGE_ROWS * page))))
        envelope = _object(_object(_json(answer.body)).get("commands"))
        for row in envelope.get("results") or ():
            if (command := _command(row)) is not None:
                yield command
        if not envelope.get("next"):
            return


def _in_commands(client: Client, sent: SentAction) -> ObservedOutcome:
    since = sent.since or _EVER
    listed = (c for c in commands(client, sent.device_id) if _is_ours(c, sent.action))
    wanted = [c for c in listed if c.requested >= since - SLACK and c.uuid not in sent.known]
    if not wanted:
        when = " since it was sent" if sent.since else ""
        return ObservedOutcome("not found", f"The device's command list shows no such command{when}.")
    nearest = min(wanted, key=lambda command: abs(command.requested - (sent.since or _LATEST)))
    return ObservedOutcome(nearest.state, f"The device's command list shows {nearest.words()}.")


def _in_row(client: Client, sent: SentAction) -> ObservedOutcome:
    row = _object(_json(client.get(f"/api/v1/devices/{quote_segment(sent.device_id)}").body))
    differing = [key for key, value in sent.body.items() if _plain(row.get(key)) != _plain(value)]
    if differing:
        return ObservedOutcome("not found", f"The device's row does not show it: {', '.join(differing)} differ.")
    return ObservedOutcome("done", "The device's row shows it.")


def _gone(client: Client, sent: SentAction) -> ObservedOutcome:
    try:
        client.get(f"/api/v1/devices/{quote_segment(sent.device_id)}")
    except NotFound:
        return ObservedOutcome("done", "The device is gone from the tenant.")
    return ObservedOutcome("not found", "The device is still in the tenant.")


def _nowhere(client: Client, sent: SentAction) -> ObservedOutcome:
    return ObservedOutcome(
        "not known", "The provider keeps no list that would show it; look at the device in its console."
    )


_CHECKS = MappingProxyType(
    {
        OutcomeCheck.COMMANDS: _in_commands,
        OutcomeCheck.ROW: _in_row,
        OutcomeCheck.GONE: _gone,
        OutcomeCheck.NONE: _nowhere,
    }
)


def _is_ours(command: Command, action: Action) -> bool:
    return bool({name.casefold() for name in action.commands} & set(command.type.casefold().split("/")))


def _command(row: Any) -> Command | None:
    try:
        requested = datetime.fromisoformat(row["date_requested"])
        kinds = dict.fromkeys(str(row[key]) for key in ("command_type", "request_type") if row.get(key))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    chain = row.get("error_chain")
    return Command(
        uuid=str(row.get("uuid")),
        type="/".join(kinds),
        state=STATES.get(row.get("status"), f"status {row.get('status')}"),
        requested=aware_utc(requested),
        completed=str(row.get("date_completed") or ""),
        error=f", with {len(chain)} errors" if chain else "",
    )


def _plain(value: Any) -> Any:
    """Return a value to compare: cleared ones come back as empty texts, a user as an object."""
    if isinstance(value, dict):
        value = value.get("id")
    if isinstance(value, list):
        return sorted(map(str, value))
    return value or None


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _json(body: bytes) -> Any:
    try:
        return parse(body).value
    except ValueError:
        return None
