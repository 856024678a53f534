"""What the audit log is told of each step: the same facts of a plan every time, and never a secret."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from kandji_mirror.actions.confirmations import Expired
from kandji_mirror.actions.endings import Ending
from kandji_mirror.actions.evidence import Found
from kandji_mirror.actions.plan import Plan
from kandji_mirror.audit.log import AuditLog
from kandji_schema.actions.arguments import is_uuid
from kandji_schema.audit import Event, Outcome
from kandji_schema.errors import MirrorError

_LONGEST = 500

WITHHELD = "(not kept in this mode of privacy)"
"""Stands for a reason that was given."""

_SEEN = MappingProxyType({"completed": Outcome.DONE, "done": Outcome.DONE, "failed": Outcome.FAILED})
"""What an attempt has come to, by what the tenant was found to show of it."""


@dataclass(frozen=True)
class Journal:
    """Writes for one tenant. ``hides_personal`` keeps names and texts about people out."""

    audit: AuditLog
    tenant: str = ""
    hides_personal: bool = False

    def offered(self, plan: Plan, how: str | None = None) -> None:
        """A yes is awaited for the plan."""
        self.audit.append(Event.OFFERED, **self._facts(plan), detail=how)

    def declined(self, plan: Plan, how: str) -> None:
        """A human said no."""
        self.audit.append(Event.DECLINED, **self._facts(plan), outcome=Outcome.NOT_SENT, detail=how)

    def intended(self, plan: Plan, by: str, sent_at: datetime) -> None:
        """The plan is about to be sent."""
        self.audit.append(Event.INTENT, **self._facts(plan), sent_at=sent_at, confirmed_by=by)

    def ended(self, plan: Plan, ending: Ending, words: str) -> None:
        """It was sent, and this is how it ended."""
        detail = plan.scrubbed(words, personal=self.hides_personal)[:_LONGEST]
        self.audit.append(
            Event.OUTCOME, **self._facts(plan), status=ending.status, outcome=ending.outcome, detail=detail
        )

    def looked(self, intent: Mapping[str, Any], found: Found) -> None:
        """Somebody asked the tenant what became of it."""
        kept = ("action_id", "action", "device_id", "serial_number", "device_name", "tenant")
        known = {name: intent[name] for name in kept}
        self.audit.append(Event.LOOKED, **known, detail=found.words[:_LONGEST], outcome=_SEEN.get(found.state))

    @contextmanager
    def refusals_of(self, plan: Plan) -> Iterator[None]:
        """Whatever of ours is raised inside is recorded as a refusal of the plan."""
        with self._refusals(self._facts(plan)):
            yield

    @contextmanager
    def refusals(self, action: str, reference: str = "", action_id: str | None = None) -> Iterator[None]:
        """As :meth:`refusals_of`, before there is a plan."""
        named = reference[:100] if is_uuid(reference) or not self.hides_personal else ""
        attempt = {"action_id": action_id} if action_id else {}
        with self._refusals({"action": action[:100], "device_id": named or None, "tenant": self.tenant, **attempt}):
            yield

    @contextmanager
    def _refusals(self, facts: Mapping[str, Any]) -> Iterator[None]:
        try:
            yield
        except MirrorError as error:
            event = Event.EXPIRED if isinstance(error, Expired) else Event.REFUSED
            # the words of a refusal repeat what was typed and whom the device belongs to
            words = type(error).__name__ if self.hides_personal else str(error)[:_LONGEST]
            self.audit.append(event, **facts, outcome=Outcome.NOT_SENT, detail=words)
            raise

    def _facts(self, plan: Plan) -> dict[str, Any]:
        return {
            "action_id": plan.id,
            "action": plan.action.name,
            "device_id": plan.subject.id or None,
            "serial_number": plan.subject.serial or None,
            "device_name": None if self.hides_personal else plan.subject.name or None,
            "reason": self._reason(plan),
            "arguments": plan.action.redacted(plan.values, personal=self.hides_personal) or None,
            "method": plan.action.method,
            "path": plan.path,
            "tenant": self.tenant,
        }

    def _reason(self, plan: Plan) -> str | None:
        """A text in which people put names: where those are kept out, that there was one."""
        return (WITHHELD if self.hides_personal else plan.reason) if plan.reason else None
