"""What the audit trail is told of each step: the same facts of a preview every time, and never a secret.

The service records through it alone, before and after the one request of an action.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from types import MappingProxyType
from typing import Any

from kandji_mirror.actions.confirmations import Expired
from kandji_mirror.actions.outcome_check import ObservedOutcome
from kandji_mirror.actions.preview import Preview
from kandji_mirror.actions.results import ActionResult
from kandji_mirror.audit.log import Attempt, AuditLog, attempts_of
from kandji_schema.actions.arguments import is_uuid
from kandji_schema.audit import Event, Outcome
from kandji_schema.errors import MirrorError

_LONGEST = 500

WITHHELD = "(not kept in this mode of privacy)"
"""Stands for a reason that was given."""

_SEEN = MappingProxyType({"completed": Outcome.DONE, "done": Outcome.DONE, "failed": Outcome.FAILED})
"""What an attempt has come to, by what the tenant was found to show of it."""


class AuditTrail:
    """The record of one tenant's actions. Without ``keeps_names`` it has no names and texts about people."""

    def __init__(self, log: AuditLog, tenant: str = "", *, keeps_names: bool = True) -> None:
        self._log = log
        self._tenant = tenant
        self._keeps_names = keeps_names

    @property
    def asker(self) -> str:
        """Who asks, in words."""
        return self._log.actor.words

    def record_offer(self, preview: Preview, how: str | None = None) -> None:
        """Record that the preview's confirmation is pending."""
        self._log.append(Event.OFFERED, **self._facts(preview), detail=how)

    def record_decline(self, preview: Preview, how: str) -> None:
        """Record that a human said no."""
        self._log.append(Event.DECLINED, **self._facts(preview), outcome=Outcome.NOT_SENT, detail=how)

    def record_intent(self, preview: Preview, by: str, sent_at: datetime) -> None:
        """Record what is about to be sent; when this returns it is on the disk."""
        self._log.append(Event.INTENT, **self._facts(preview), sent_at=sent_at, confirmed_by=by)

    def record_outcome(self, preview: Preview, result: ActionResult, observed: ObservedOutcome | None) -> None:
        """Record how what was sent ended."""
        words = f"{result.detail} {observed.words}" if observed else result.detail
        detail = preview.scrubbed(words, personal=not self._keeps_names)[:_LONGEST]
        self._log.append(
            Event.OUTCOME, **self._facts(preview), status=result.status, outcome=result.outcome, detail=detail
        )

    def record_check(self, intent: Mapping[str, Any], observed: ObservedOutcome) -> None:
        """Record what the tenant shows of a recorded ``intent``, which somebody asked for."""
        kept = ("action_id", "action", "device_id", "serial_number", "device_name", "tenant")
        known = {name: intent[name] for name in kept}
        self._log.append(Event.LOOKED, **known, detail=observed.words[:_LONGEST], outcome=_SEEN.get(observed.state))

    def attempts(self, reference: str, *, by_name: bool) -> Iterator[Attempt]:
        """Return the recorded attempts of an id or about a device, the newest first."""
        return attempts_of(self._log, reference, by_name=by_name)

    @contextmanager
    def refusals_of(self, preview: Preview) -> Iterator[None]:
        """Record whatever of ours is raised inside as a refusal of the preview."""
        with self._refusals(self._facts(preview)):
            yield

    @contextmanager
    def refusals(self, action: str, reference: str = "", action_id: str | None = None) -> Iterator[None]:
        """Do as :meth:`refusals_of`, before there is a preview."""
        named = reference[:100] if is_uuid(reference) or self._keeps_names else ""
        attempt = {"action_id": action_id} if action_id else {}
        with self._refusals({"action": action[:100], "device_id": named or None, "tenant": self._tenant, **attempt}):
            yield

    @contextmanager
    def _refusals(self, facts: Mapping[str, Any]) -> Iterator[None]:
        try:
            yield
        except MirrorError as error:
            event = Event.EXPIRED if isinstance(error, Expired) else Event.REFUSED
            # the words of a refusal repeat what was typed and whom the device belongs to
            words = str(error)[:_LONGEST] if self._keeps_names else type(error).__name__
            self._log.append(event, **facts, outcome=Outcome.NOT_SENT, detail=words)
            raise

    def _facts(self, preview: Preview) -> dict[str, Any]:
        personal = not self._keeps_names
        return {
            "action_id": preview.id,
            "action": preview.action.name,
            "device_id": preview.target.id or None,
            "serial_number": preview.target.serial or None,
            "device_name": None if personal else preview.target.name or None,
            # people put names into reasons: where those are kept out, that there was one
            "reason": (WITHHELD if personal else preview.reason) if preview.reason else None,
            "arguments": preview.action.redacted(preview.values, personal=personal) or None,
            "method": preview.action.method,
            "path": preview.path,
            "tenant": self._tenant,
        }
