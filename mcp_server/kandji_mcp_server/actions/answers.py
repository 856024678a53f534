"""What a live action answers."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field

from kandji_mcp_server.render.answers import DATA, Absent, Answer
from kandji_mirror.actions.policy import ActionPolicy
from kandji_mirror.actions.preview import Preview
from kandji_mirror.actions.results import Performed

SECRET = "Show it to the person who asked and to nobody else; do not repeat, store or log it."  # noqa: S105  # words


class ActionAnswer(Answer):
    """How an action ended, or what has to be confirmed first."""

    action_id: str
    sent: bool = Field(description="Whether a request left for the tenant.")
    outcome: str
    detail: str
    preview: list[str] | Absent = Field(default=None, description="What would be sent, to what, and what it does.")
    status: int | Absent = Field(default=None, description="HTTP status of the provider's answer.")
    found: str | Absent = Field(default=None, description="What the tenant showed after the answer was lost.")
    secrets: dict[str, str | None] | Absent = Field(default=None, description="Shown once; null: none is escrowed.")
    answer: Any = None


class FollowedAction(BaseModel):
    """One recorded attempt and what the tenant shows of it."""

    action_id: str
    action: str
    serial_number: str | Absent = None
    recorded_at: str
    outcome: str
    found: str | Absent = None


class FollowedActions(Answer):
    """Attempts, the newest first."""

    attempts: list[FollowedAction]


def performed(done: Performed, notes: Sequence[str], *, private: bool) -> ActionAnswer:
    """Answer for something that was sent; without secrets and names of people where ``private``."""
    preview, ended = done.preview, done.result
    secrets: dict[str, Any] = {} if private else dict(ended.secrets)
    told = [*notes, *([SECRET] if any(secrets.values()) else [])]
    if isinstance(ended.answer, list):
        told.append(DATA)
    if private and ended.secrets:
        told.append(f"The PIN is shown on a terminal only: kandji-mirror secret unlockpin {preview.target.proof}")
    return ActionAnswer(
        notes=told,
        action_id=preview.id,
        sent=True,
        outcome=str(ended.outcome),
        detail=preview.scrubbed(ended.detail, personal=private),
        status=ended.status,
        found=done.observed.words if done.observed else None,
        secrets=secrets or None,
        answer=None if private else ended.answer,
    )


def pending(preview: Preview, token: str, policy: ActionPolicy, *, coded: bool) -> ActionAnswer:
    """Answer where somebody has to confirm elsewhere or later, with how."""
    if policy.agents_confirm:
        how = (
            "Nothing was sent. Read the preview; if it is what is wanted, call again with the same arguments and with "
            f"token={token!r} and the serial_number of the preview."
        )
        how += " A one-time code was sent to a person: ask for it, and give it as `code`." if coded else ""
    else:
        asks = "the serial number and the one-time code it sends" if coded else "the serial number"
        how = (
            "Nothing was sent: a human confirms it elsewhere. Ask the person to type this in a terminal, which asks "
            f"for {asks}: kandji-mirror action confirm {token} (it shows action {preview.id})"
        )
    return ActionAnswer(
        notes=[],
        action_id=preview.id,
        sent=False,
        outcome="awaiting confirmation",
        detail=f"{how} The token is good once, for five minutes.",
        preview=list(preview.lines(named=policy.shows_names)),
    )
