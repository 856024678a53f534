"""The one door to live actions: preview, a yes that fits it, one request, and a record of every step."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from kandji_mirror.actions.codes import Codes
from kandji_mirror.actions.confirmations import Awaited, Confirmations
from kandji_mirror.actions.endings import Ending, answered, failed
from kandji_mirror.actions.evidence import Found, Sought, known_commands, look
from kandji_mirror.actions.journal import Journal
from kandji_mirror.actions.plan import Plan
from kandji_mirror.actions.resolving import read_device, resolve
from kandji_mirror.actions.subjects import Subject
from kandji_mirror.api.client import Client
from kandji_schema.actions import actions
from kandji_schema.actions.arguments import Argument, is_uuid
from kandji_schema.actions.record import Action, Risk, Target
from kandji_schema.audit import NEVER_HAPPENED, Outcome
from kandji_schema.errors import AuditUnavailable, MirrorError, NotConfirmed, TargetRefused

log = logging.getLogger(__name__)

Refresh = Callable[[Sequence[str], Sequence[str]], None]
"""Brings tables up to date for some devices, by name and identifier. What it raises is told, never more."""

_REASON = Argument(name="reason", key="reason", description="Why.", longest=500)


@dataclass(frozen=True)
class Yes:
    """Somebody said yes to one plan. ``by`` is how: terminal, elicitation, flag or agent, each maybe with a code."""

    by: str
    binding: tuple[str, ...]


@dataclass(frozen=True)
class Done:
    """What became of a plan that was carried out. ``found`` is what the tenant showed where the answer was lost."""

    plan: Plan
    ending: Ending
    found: Found | None = None
    notes: tuple[str, ...] = ()

    @property
    def error(self) -> MirrorError | None:
        """What to end with; None where it went well, or was found to have arrived."""
        arrived = self.found is not None and self.found.state not in {"not found", "not known", "failed"}
        return None if arrived else self.ending.error


@dataclass(frozen=True)
class Desk:
    """Live actions of one home and tenant. ``refresh`` reads again what an action touched.

    With ``codes`` every yes needs the one that was sent for its plan.
    """

    client: Client
    home: Path
    journal: Journal
    confirmations: Confirmations
    refresh: Refresh | None = None
    codes: Codes | None = None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def preview(
        self, action: Action, reference: str, given: Mapping[str, object], reason: str = "", *, by_name: bool = True
    ) -> Plan:
        """The plan in full; a few requests that only read. What is refused is recorded.

        Not ``by_name`` a target is named by identifier or serial number, and nothing tells whether a name exists.
        :class:`UsageError` for arguments, :class:`TargetRefused` for what is not one device of the right kind.
        """
        with self.journal.refusals(action.name, reference):
            values = action.read(given)
            why = str(_REASON.read(reason)) if reason else ""
            find = self._found if by_name else self._found_by_number
            plan = Plan(action, find(action, reference, values), values, why)
        with self.journal.refusals_of(plan):
            _refuse_unfit(plan)
        return plan

    def _found(self, action: Action, reference: str, values: Mapping[str, object]) -> Subject:
        return resolve(self.client, self.home, action.target, reference, values)

    def _found_by_number(self, action: Action, reference: str, values: Mapping[str, object]) -> Subject:
        """As :meth:`_found`, with one and the same answer for a name that exists, one that does not, and several."""
        if action.target is Target.TENANT or is_uuid(reference.strip()):
            return self._found(action, reference, values)
        refused = TargetRefused(
            f"No {action.target.name.lower()} has that identifier or serial number. In this mode of privacy targets of "
            "AI clients are named by these alone; they are in the tables devices and tags. Nothing was sent."
        )
        try:
            subject = self._found(action, reference, values)
        except TargetRefused:
            raise refused from None
        if not subject.serial or reference.strip().casefold() != subject.serial.casefold():
            raise refused
        return subject

    def offer(self, plan: Plan) -> str:
        """A token with which somebody may confirm the plan later, maybe from another process."""
        self.journal.offered(plan)
        return self.confirmations.offer(
            Awaited(
                action_id=plan.id,
                action=plan.action.name,
                reference=plan.subject.id,
                values=plan.values,
                reason=plan.reason,
                binding=plan.binding,
            )
        )

    def awaited(self, token: str) -> Plan:
        """The plan a token is to confirm, made anew from what the tenant shows now."""
        with self.journal.refusals("confirm"):
            known = self.confirmations.look(token)
        action = actions()[known.action]
        with self.journal.refusals(action.name, known.reference, known.action_id):
            subject = resolve(self.client, self.home, action.target, known.reference, known.values)
            plan = Plan(action, subject, known.values, known.reason, known.action_id)
            if plan.binding != known.binding:
                raise TargetRefused(
                    f"The target changed meanwhile: it is now {subject.words(named=False)}. Nothing was sent."
                )
        return plan

    def challenge(self, plan: Plan) -> None:
        """Send the plan's one-time code, once, where codes are asked for; :class:`NotConfirmed` where that fails."""
        if self.codes is None:
            return
        with self.journal.refusals_of(plan):
            sent = self.codes.send(plan, self.journal.audit.actor.words, named=not self.journal.hides_personal)
        if sent:
            self.journal.offered(plan, "A one-time code was sent to its person.")

    def confirm(self, plan: Plan, typed: str, by: str, code: Callable[[], str] = str) -> Yes:
        """A yes, proven by the target's serial number; :class:`NotConfirmed` for any other text.

        Where codes are asked for, ``code`` is called for the one that was sent; :class:`WrongCode` for another.
        """
        with self.journal.refusals_of(plan):
            if not plan.subject.proof or typed.strip().casefold() != plan.subject.proof.casefold():
                given = repr(typed.strip()[:80])
                raise NotConfirmed(f"{given} is not the {plan.subject.proof_name} of the target. Nothing was sent.")
        if self.codes is None:
            return Yes(by, plan.binding)
        self.challenge(plan)
        given_code = code()
        with self.journal.refusals_of(plan):
            self.codes.check(plan, given_code)
        return Yes(f"{by} with a code", plan.binding)

    def unasked(self, plan: Plan) -> Yes:
        """The yes that reading asks for, where it reads no secret: none."""
        with self.journal.refusals_of(plan):
            if plan.action.risk is not Risk.READS or plan.action.secret:
                raise NotConfirmed(f"{plan.action.name} needs somebody's yes. Nothing was sent.")
        return Yes("not needed", plan.binding)

    def joined(self, plan: Plan, token: str) -> Plan:
        """The plan under the name of the one that the token was offered for, so that the records of both join."""
        with self.journal.refusals_of(plan):
            known = self.confirmations.look(token)
        return replace(plan, id=known.action_id) if known.binding == plan.binding else plan

    def redeem(self, plan: Plan, token: str) -> None:
        """Use a token up for exactly this plan; :class:`NotConfirmed` where it was given for another."""
        with self.journal.refusals_of(plan):
            known = self.confirmations.take(token)
            if known.binding != plan.binding:
                raise NotConfirmed(
                    f"This token confirms {known.action} with other arguments or for another device. It is used up "
                    "now. Nothing was sent."
                )

    def perform(self, plan: Plan, yes: Yes) -> Done:
        """Send it, once: the intent is on disk before, the outcome after.

        :class:`NotConfirmed` for another plan's yes, :class:`TargetRefused` where the target changed meanwhile,
        :class:`AuditUnavailable` where nothing can be recorded; then nothing was sent. Any other end is told by the
        result.
        """
        with self.journal.refusals_of(plan):
            if yes.binding != plan.binding:
                raise NotConfirmed("The yes was given to something else. Nothing was sent.")
            self._refuse_changed(plan)
        known = known_commands(self.client, plan.action, plan.subject.id)
        sent_at = self.client.provider_now or self.clock()
        self.journal.intended(plan, yes.by, sent_at)
        ending = self._sent(plan)
        found = None
        if ending.outcome is Outcome.UNKNOWN:
            found = look(self.client, Sought(plan.action, plan.subject.id, sent_at, plan.body or {}, known))
        elif ending.outcome is Outcome.PENDING:
            found = look(self.client, Sought(plan.action, plan.subject.id, None, {}))
        return Done(plan, ending, found, (*self._recorded(plan, ending, found), *_lost_pin(plan, ending)))

    def refreshed(self, done: Done) -> Sequence[str]:
        """Read again what it touched; gives what went wrong with that, which changes nothing about what was done."""
        plan = done.plan
        if self.refresh is None or not plan.action.tables or done.ending.outcome in NEVER_HAPPENED:
            return []
        devices = [plan.subject.id] if plan.subject.kind is Target.DEVICE else []
        try:
            self.refresh(plan.action.tables, devices)
        except Exception as error:
            # a mirror that is behind says so by its age
            log.info("The mirror was not refreshed after %s: %s", plan.action.name, error)
            return ["The mirror was not refreshed now; the next sync does it."]
        return []

    def _refuse_changed(self, plan: Plan) -> None:
        if plan.subject.kind is Target.DEVICE:
            now = read_device(self.client, plan.subject.id)
            if not plan.subject.same_as(now):
                raise TargetRefused(
                    f"The device changed meanwhile: it is now {now.words(named=False)}. Nothing was sent."
                )

    def _sent(self, plan: Plan) -> Ending:
        try:
            return answered(plan, self.client.once(plan.action.method, plan.path, plan.body))
        except MirrorError as error:
            return failed(plan, error)
        except BaseException:  # Ctrl-C while the answer is awaited: the request may have arrived
            self._recorded(plan, Ending(Outcome.UNKNOWN, "Interrupted before the answer came."), None)
            raise

    def _recorded(self, plan: Plan, ending: Ending, found: Found | None) -> Sequence[str]:
        """Where the outcome cannot be recorded the action is done all the same, and the caller has to know both."""
        try:
            self.journal.ended(plan, ending, f"{ending.detail} {found.words}" if found else ending.detail)
        except AuditUnavailable as error:
            return [f"The outcome could not be recorded; the log has the intent alone. {error}"]
        return []


def _lost_pin(plan: Plan, ending: Ending) -> Iterator[str]:
    """Where the PIN is that an answer would have told."""
    if ending.outcome is Outcome.UNKNOWN and plan.action.reveals and plan.subject.platform == "Mac":
        yield f"If it arrived, its PIN can be read: `kandji-mirror secret unlockpin {plan.subject.proof}`."


def _refuse_unfit(plan: Plan) -> None:
    if plan.subject.kind is Target.DEVICE:
        unfit = plan.action.not_for(plan.subject.platform, plan.values)
        if unfit:
            raise TargetRefused(f"{unfit}: {plan.subject.words(named=False)}. Nothing was sent.")
