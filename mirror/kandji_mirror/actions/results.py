"""How the one request of an action ended: what its answer says, and what is left open where none came."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kandji_mirror.actions.outcome_check import ObservedOutcome
from kandji_mirror.actions.preview import Preview
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
class ActionResult:
    """``detail`` is for people and for the log, without secrets. ``secrets`` are shown once and never kept.

    ``answer`` is the JSON of a read. ``error`` is what to tell the caller where it did not end well.
    """

    outcome: Outcome
    detail: str
    status: int | None = None
    secrets: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    answer: Any = field(default=None, repr=False)
    error: MirrorError | None = None


@dataclass(frozen=True)
class Performed:
    """What became of an action. ``observed`` is what the tenant showed where the answer was lost."""

    preview: Preview
    result: ActionResult
    observed: ObservedOutcome | None = None
    notes: tuple[str, ...] = ()

    @property
    def error(self) -> MirrorError | None:
        """What to end with; None where it went well, or was found to have arrived."""
        arrived = self.observed is not None and self.observed.state not in {"not found", "not known", "failed"}
        return None if arrived else self.result.error


def answered(preview: Preview, response: Response) -> ActionResult:
    """Return the result of a request that got a 2xx."""
    try:
        value = parse(response.body).value if response.body.strip() else None
    except ValueError:  # a proxy's page: whether the provider ever got the request is open
        what = (
            f"{preview.action.method} {preview.path} answered {response.status} with a page that is not the provider's."
        )
        return failed(preview, ServerFault(what, status=response.status))
    if preview.action.secret:
        return _secret(preview, response, value)
    if preview.action.method == "GET":
        return _listed(response, value)
    queued = bool(preview.action.commands) or "/action/" in preview.action.path
    result = ActionResult(
        Outcome.QUEUED if queued else Outcome.DONE,
        "Queued, not done yet: the device gets it at its next contact." if queued else "Done.",
        status=response.status,
        answer=_kept(value),
    )
    return _with_secrets(preview, result, value) if preview.action.reveals else result


def failed(preview: Preview, error: MirrorError) -> ActionResult:
    """Return the result of a request that raised ``error``."""
    status = error.status if isinstance(error, ApiError) else None
    if _never_left(error):
        return ActionResult(Outcome.NOT_SENT, f"{_plain(error)} It was not carried out.", status, error=error)
    if isinstance(error, ServerFault | Unreachable):
        return _unknown(preview, error, status)
    text = str(error).lower()
    if any(words in text for words in _PENDING):
        return ActionResult(
            Outcome.PENDING, f"The same command is already pending for this device. {_plain(error)}", status
        )
    if _LOCKED in text:
        told = f"{_plain(error)} Its PIN: `kandji-mirror secret unlockpin {preview.target.proof}`."
        return ActionResult(Outcome.REJECTED, told, status, error=Rejected(told, status=status))
    return ActionResult(Outcome.REJECTED, _plain(error), status, error=error)


def lost_pin(preview: Preview, result: ActionResult) -> Iterator[str]:
    """Tell where the PIN is that an answer would have told."""
    if result.outcome is Outcome.UNKNOWN and preview.action.reveals and preview.target.platform == "Mac":
        yield f"If it arrived, its PIN can be read: `kandji-mirror secret unlockpin {preview.target.proof}`."


def _never_left(error: MirrorError) -> bool:
    """Tell whether nothing was carried out: a 429 is thrown away by the provider, the rest did not get there."""
    if isinstance(error, Unreachable):
        return not error.sent
    return isinstance(error, RateLimited) or not isinstance(error, ApiError)


def _unknown(preview: Preview, error: MirrorError, status: int | None) -> ActionResult:
    told = f"{_plain(error)} Nobody knows whether it was carried out, so it is not sent again."
    if preview.action.method == "GET":
        return ActionResult(Outcome.REJECTED, _plain(error), status, error=error)
    return ActionResult(Outcome.UNKNOWN, told, status, error=OutcomeUnknown(told, status=status))


def _secret(preview: Preview, response: Response, value: Any) -> ActionResult:
    keys = preview.action.reveals or {}
    if not isinstance(value, dict) or not keys.keys() & value.keys():
        told = f"{preview.action.method} {preview.path} answered {response.status}, but not with what was asked for."
        return ActionResult(Outcome.REJECTED, told, response.status, error=ServerFault(told, status=response.status))
    found = {name: _one(value[key]) for key, name in keys.items() if key in value}
    held = any(found.values())
    return ActionResult(
        Outcome.DONE,
        "Shown once." if held else "There is none: nothing is escrowed for this device.",
        status=response.status,
        secrets=found,
    )


def _listed(response: Response, value: Any) -> ActionResult:
    if not isinstance(value, list):
        told = "The provider answered, but not with a list."
        return ActionResult(Outcome.REJECTED, told, response.status, error=ServerFault(told, status=response.status))
    return ActionResult(Outcome.DONE, f"Read: {len(value)}.", status=response.status, answer=value)


def _with_secrets(preview: Preview, result: ActionResult, value: Any) -> ActionResult:
    keys = preview.action.reveals or {}
    found = {name: _one(value[key]) for key, name in keys.items() if key in value} if isinstance(value, dict) else {}
    if any(found.values()):
        return replace(result, secrets=found, detail=f"{result.detail} A PIN was returned.", answer=None)
    return replace(result, answer=None)


def _kept(value: Any) -> Any:
    """Keep of an answer to a write what the caller needs next: the id of what was made."""
    if not isinstance(value, dict):
        return None
    return {key: value[key] for key in ("note_id", "id", "message") if isinstance(value.get(key), str)} or None


def _one(value: Any) -> str | None:
    return str(value) if isinstance(value, str | int) and str(value) else None


def _plain(error: MirrorError) -> str:
    text = str(error)
    return text if text.endswith((".", "!", "?")) else f"{text}."
