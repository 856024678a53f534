"""What a live action answers."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field

from kandji_mcp_server.render.answers import DATA, Absent, Answer
from kandji_mirror.actions.desk import Done
from kandji_mirror.actions.plan import Plan

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


def performed(done: Done, notes: Sequence[str], *, private: bool) -> ActionAnswer:
    """The answer of something that was sent; without secrets and names of people where ``private``."""
    ending = done.ending
    secrets: dict[str, Any] = {} if private else dict(ending.secrets)
    told = [*notes, *([SECRET] if any(secrets.values()) else [])]
    if isinstance(ending.answer, list):
        told.append(DATA)
    if private and ending.secrets:
        told.append(f"The PIN is shown on a terminal only: kandji-mirror secret unlockpin {done.plan.subject.proof}")
    return ActionAnswer(
        notes=told,
        action_id=done.plan.id,
        sent=True,
        outcome=str(ending.outcome),
        detail=done.plan.scrubbed(ending.detail, personal=private),
        status=ending.status,
        found=done.found.words if done.found else None,
        secrets=secrets or None,
        answer=None if private else ending.answer,
    )


def awaiting(plan: Plan, token: str, *, agent: bool, named: bool, coded: bool) -> ActionAnswer:
    """The answer where somebody has to say yes elsewhere or later."""
    if agent:
        how = (
            "Nothing was sent. Read the preview; if it is what is wanted, call again with the same arguments and with "
            f"token={token!r} and the serial_number of the preview."
        )
        how += " A one-time code was sent to a person: ask for it, and give it as `code`." if coded else ""
    else:
        asks = "the serial number and the one-time code it sends" if coded else "the serial number"
        how = (
            "Nothing was sent: a human confirms it elsewhere. Ask the person to type this in a terminal, which asks "
            f"for {asks}: kandji-mirror action confirm {token} (it shows action {plan.id})"
        )
    return ActionAnswer(
        notes=[],
        action_id=plan.id,
        sent=False,
        outcome="awaiting confirmation",
        detail=f"{how} The token is good once, for five minutes.",
        preview=list(plan.lines(named=named)),
    )
