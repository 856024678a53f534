"""How a request ended: what its answer says, and what is left open where none came."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kandji_mirror.actions.plan import Plan
from kandji_mirror.api.lenient_json import parse
from kandji_schema.audit import Outcome
from kandji_schema.errors import (
    ApiError,
    MirrorError,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    ServerFault,
    Unreachable,
)
from kandji_schema.http import Response

_PENDING = ("already running", "already pending")
_LOCKED = "already locked"


@dataclass(frozen=True)
class Ending:
    """``detail`` is for people and for the log, without secrets. ``secrets`` are shown once and never kept.

    ``answer`` is the JSON of a read. ``error`` is what to tell the caller where it did not end well.
    """

    outcome: Outcome
    detail: str
    status: int | None = None
    secrets: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    answer: Any = field(default=None, repr=False)
    error: MirrorError | None = None


def answered(plan: Plan, response: Response) -> Ending:
    """The ending of a request that got a 2xx."""
    try:
        value = parse(response.body).value if response.body.strip() else None
    except ValueError:  # a proxy's page: whether the provider ever got the request is open
        what = f"{plan.action.method} {plan.path} answered {response.status} with a page that is not the provider's."
        return failed(plan, ServerFault(what, status=response.status))
    if plan.action.secret:
        return _secret(plan, response, value)
    if plan.action.method == "GET":
        return _listed(response, value)
    queued = bool(plan.action.commands) or "/action/" in plan.action.path
    ending = Ending(
        Outcome.QUEUED if queued else Outcome.DONE,
        "Queued, not done yet: the device gets it at its next contact." if queued else "Done.",
        status=response.status,
        answer=_kept(value),
    )
    return _with_secrets(plan, ending, value) if plan.action.reveals else ending


def failed(plan: Plan, error: MirrorError) -> Ending:
    """The ending of a request that raised ``error``."""
    status = error.status if isinstance(error, ApiError) else None
    if _never_left(error):
        return Ending(Outcome.NOT_SENT, f"{_plain(error)} It was not carried out.", status, error=error)
    if isinstance(error, ServerFault | Unreachable):
        return _unknown(plan, error, status)
    text = str(error).lower()
    if any(words in text for words in _PENDING):
        return Ending(Outcome.PENDING, f"The same command is already pending for this device. {_plain(error)}", status)
    if _LOCKED in text:
        told = f"{_plain(error)} Its PIN: `kandji-mirror secret unlockpin {plan.subject.proof}`."
        return Ending(Outcome.REJECTED, told, status, error=Rejected(told, status=status))
    return Ending(Outcome.REJECTED, _plain(error), status, error=error)


def _never_left(error: MirrorError) -> bool:
    """A 429 was counted and thrown away by the provider; the rest did not get there."""
    if isinstance(error, Unreachable):
        return not error.sent
    return isinstance(error, RateLimited) or not isinstance(error, ApiError)


def _unknown(plan: Plan, error: MirrorError, status: int | None) -> Ending:
    told = f"{_plain(error)} Nobody knows whether it was carried out, so it is not sent again."
    if plan.action.method == "GET":
        return Ending(Outcome.REJECTED, _plain(error), status, error=error)
    return Ending(Outcome.UNKNOWN, told, status, error=OutcomeUnknown(told, status=status))


def _secret(plan: Plan, response: Response, value: Any) -> Ending:
    keys = plan.action.reveals or {}
    if not isinstance(value, dict) or not keys.keys() & value.keys():
        told = f"{plan.action.method} {plan.path} answered {response.status}, but not with what was asked for."
        return Ending(Outcome.REJECTED, told, response.status, error=ServerFault(told, status=response.status))
    found = {name: _one(value[key]) for key, name in keys.items() if key in value}
    held = any(found.values())
    return Ending(
        Outcome.DONE,
        "Shown once." if held else "There is none: nothing is escrowed for this device.",
        status=response.status,
        secrets=found,
    )


def _listed(response: Response, value: Any) -> Ending:
    if not isinstance(value, list):
        told = "The provider answered, but not with a list."
        return Ending(Outcome.REJECTED, told, response.status, error=ServerFault(told, status=response.status))
    return Ending(Outcome.DONE, f"Read: {len(value)}.", status=response.status, answer=value)


def _with_secrets(plan: Plan, ending: Ending, value: Any) -> Ending:
    keys = plan.action.reveals or {}
    found = {name: _one(value[key]) for key, name in keys.items() if key in value} if isinstance(value, dict) else {}
    if any(found.values()):
        return replace(ending, secrets=found, detail=f"{ending.detail} A PIN was returned.", answer=None)
    return replace(ending, answer=None)


def _kept(value: Any) -> Any:
    """Of an answer to a write, what the caller needs next: the id of what was made."""
    if not isinstance(value, dict):
        return None
    return {key: value[key] for key in ("note_id", "id", "message") if isinstance(value.get(key), str)} or None


def _one(value: Any) -> str | None:
    return str(value) if isinstance(value, str | int) and str(value) else None


def _plain(error: MirrorError) -> str:
    text = str(error)
    return text if text.endswith((".", "!", "?")) else f"{text}."
