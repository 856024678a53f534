"""The one way to a live action: every check, a confirmation that fits, one request, and a record of every step.

The way of one action, downward. A face (command line, MCP) makes an ``ActionRequest`` (policy) of what it was asked;
``preview`` checks it, resolves its targets (resolve) and says in full what would be sent (preview). ``confirm`` takes
what somebody answered (policy, codes, confirmations). ``perform`` has the intent on the disk (trail) before it sends
the request, once; what its answer says (results), or the tenant shows without one (outcome_check), is recorded last.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from kandji_mirror.actions.codes import Codes
from kandji_mirror.actions.confirmations import Confirmation, PendingConfirmation, PendingConfirmations
from kandji_mirror.actions.outcome_check import (
    ActionStatus,
    ObservedOutcome,
    SentAction,
    check_attempt,
    check_outcome,
    known_commands,
)
from kandji_mirror.actions.policy import ActionPolicy, ActionRequest, ConfirmedBy
from kandji_mirror.actions.preview import Preview
from kandji_mirror.actions.resolve import Target, read_device, resolve, resolve_by_number
from kandji_mirror.actions.results import ActionResult, Performed, answered, failed, lost_pin
from kandji_mirror.actions.trail import AuditTrail
from kandji_mirror.api.client import Client
from kandji_mirror.audit.log import Attempt
from kandji_schema.actions import actions
from kandji_schema.actions.arguments import Argument
from kandji_schema.actions.record import Action, TargetKind
from kandji_schema.audit import NEVER_HAPPENED, Outcome
from kandji_schema.errors import AuditUnavailable, MirrorError, NotConfirmed, TargetRefused, UsageError
from kandji_schema.events import about

log = logging.getLogger(__name__)

Refresh = Callable[[Sequence[str], Sequence[str]], None]
"""Brings tables up to date for some devices, by name and identifier. What it raises is told, never more."""

_REASON = Argument(name="reason", key="reason", description="Why.", longest=500)
_PROVEN = frozenset({ConfirmedBy.TERMINAL, ConfirmedBy.FLAG, ConfirmedBy.AGENT})
"""Confirmations that are proven by the target's serial number; a question in a client shows it instead."""


class ActionService:
    """Live actions of one home and tenant, for one asker. What is refused is recorded, and raised."""

    def __init__(
        self,
        client: Client,
        home: Path,
        policy: ActionPolicy,
        trail: AuditTrail,
        pending: PendingConfirmations,
        *,
        refresh: Refresh | None = None,
        codes: Codes | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``refresh`` reads again what an action touched. With ``codes`` a confirmation needs its one-time code."""
        self._client = client
        self._home = home
        self._policy = policy
        self._trail = trail
        self._pending = pending
        self._refresh = refresh
        self._codes = codes
        self._clock = clock

    # -- what would be sent --------------------------------------------------------------------------------------------

    def refusals(self, action: str, reference: str = "") -> AbstractContextManager[None]:
        """Record what a face itself refuses inside the block, since no request can be made of what it was given."""
        return self._trail.refusals(action, reference)

    def preview(self, request: ActionRequest) -> list[Preview]:
        """Check the request and return what would be sent to each target; asks the tenant, and changes nothing there.

        :class:`UsageError` for arguments, :class:`TargetRefused` for what is not one device of the right kind,
        :class:`NotConfirmed` for a request that is not meant, or a token that is not good.
        """
        with self.refusals(request.action.name, ", ".join(request.targets)):
            self._policy.check(request)
        previews = [self._previewed(request, target) for target in request.targets or ("",)]
        self._refuse_repeated(previews)
        return previews

    def _previewed(self, request: ActionRequest, reference: str) -> Preview:
        action = request.action
        with self.refusals(action.name, reference):
            known = self._pending.find(request.token) if request.token else None
            values = action.read(request.arguments)
            reason = str(_REASON.read(request.reason)) if request.reason else ""
            preview = Preview(action, self._resolved(action, reference, values), values, reason)
        with self._trail.refusals_of(preview):
            _refuse_unfit(preview)
        # under the name of the preview that the token was offered for, so that the records of both join
        return replace(preview, id=known.action_id) if known and known.binding == preview.binding else preview

    def _resolved(self, action: Action, reference: str, values: Mapping[str, object]) -> Target:
        find = resolve if self._policy.shows_names else resolve_by_number
        return find(self._client, self._home, action.target, reference, values)

    def _refuse_repeated(self, previews: Sequence[Preview]) -> None:
        seen: set[str] = set()
        for preview in previews:
            if preview.target.id in seen:
                with self._trail.refusals_of(preview):
                    raise UsageError(f"{preview.target.words(named=False)} was named twice. Nothing was sent.")
            seen.add(preview.target.id)

    # -- who confirms it -----------------------------------------------------------------------------------------------

    def offer(self, preview: Preview) -> str:
        """Return a token with which somebody may confirm the preview later, maybe from another process."""
        self._trail.record_offer(preview)
        token = self._pending.add(
            PendingConfirmation(
                action_id=preview.id,
                action=preview.action.name,
                reference=preview.target.id,
                values=preview.values,
                reason=preview.reason,
                binding=preview.binding,
            )
        )
        if self._policy.agents_confirm:
            self.send_code(preview)  # at a terminal it is sent when somebody sits there
        return token

    def pending(self, token: str, *, seen_by_person: bool = True) -> Preview:
        """Return the preview that a token is to confirm, made anew from what the tenant shows now."""
        with self._refusals_of_token(token):
            known = self._pending.find(token)
        action = actions()[known.action]
        with self._trail.refusals(action.name, known.reference, known.action_id):
            target = resolve(self._client, self._home, action.target, known.reference, known.values)
            preview = Preview(action, target, known.values, known.reason, known.action_id)
            if preview.binding != known.binding:
                raise TargetRefused(
                    f"The target changed meanwhile: it is now {target.words(named=False)}. Nothing was sent."
                )
        if not seen_by_person:
            with self._trail.refusals_of(preview):
                self._policy.check_unseen(action)
        return preview

    def _refusals_of_token(self, token: str) -> AbstractContextManager[None]:
        """Record a refusal of what the token was offered for, as far as that is known."""
        with self.refusals("confirm"):
            name = self._pending.action_id(token)
        for attempt in self._trail.attempts(name, by_name=False) if name else ():
            offer = attempt.records[0]
            return self._trail.refusals(offer["action"], offer["device_id"] or "", name)
        return self.refusals("confirm")

    def send_code(self, preview: Preview) -> None:
        """Send the preview's one-time code, once, where codes are asked for; :class:`NotConfirmed` if that fails."""
        if self._codes is None:
            return
        with self._trail.refusals_of(preview):
            sent = self._codes.send(preview, self._trail.asker, named=self._policy.keeps_names)
        if sent:
            self._trail.record_offer(preview, "A one-time code was sent to its person.")

    def confirm(
        self,
        preview: Preview,
        by: ConfirmedBy,
        typed: Callable[[], str] = str,
        *,
        code: Callable[[], str] = str,
        token: str | None = None,
    ) -> Confirmation:
        """Return the confirmation of the preview, if what somebody answered proves one; :class:`NotConfirmed` else.

        ``typed`` asks for the target's serial number, ``code`` for the one-time code where one is needed
        (:class:`WrongCode` for another). A ``token`` is used up, also where it was given out for another preview.
        """
        with self._trail.refusals_of(preview):
            self._policy.check_confirmation(preview, by, pending=token is not None)
            if by in _PROVEN:
                _refuse_unproven(preview.target, typed())
        how = str(by)
        if self._codes is not None and by is not ConfirmedBy.NOBODY:
            self.send_code(preview)
            given = code()
            with self._trail.refusals_of(preview):
                self._codes.check(preview, given)
            how = f"{by} with a code"
        if token is not None:
            self._use_token(preview, token)
        return Confirmation(how, preview.binding)

    def confirm_read(self, preview: Preview) -> Confirmation:
        """Return the confirmation of an action that only reads, and no secret; no human is asked."""
        return self.confirm(preview, ConfirmedBy.NOBODY)

    def decline(self, preview: Preview, how: str) -> None:
        """Record that a human said no."""
        self._trail.record_decline(preview, how)

    def _use_token(self, preview: Preview, token: str) -> None:
        with self._trail.refusals_of(preview):
            known = self._pending.use(token)
            if known.binding != preview.binding:
                raise NotConfirmed(
                    f"This token confirms {known.action} with other arguments or for another device. It is used up "
                    "now. Nothing was sent."
                )

    # -- it is done ----------------------------------------------------------------------------------------------------

    def perform(self, preview: Preview, confirmation: Confirmation) -> Performed:
        """Send it, once: the intent is on disk before, the outcome after.

        :class:`NotConfirmed` for another preview's confirmation, :class:`TargetRefused` where the target changed
        meanwhile, :class:`AuditUnavailable` where nothing can be recorded; then nothing was sent. Any other end is told
        by the result.
        """
        with self._trail.refusals_of(preview):
            if confirmation.binding != preview.binding:
                raise NotConfirmed("The confirmation was given to something else. Nothing was sent.")
            self._refuse_changed(preview)
        known = known_commands(self._client, preview.action, preview.target.id)
        sent_at = self._client.provider_now or self._clock()
        self._trail.record_intent(preview, confirmation.by, sent_at)
        result = self._sent(preview)
        observed = self._observed(preview, result, sent_at, known)
        notes = (*self._recorded(preview, result, observed), *lost_pin(preview, result))
        return Performed(preview, result, observed, notes)

    def refresh(self, done: Performed) -> Sequence[str]:
        """Read again what it touched; return what went wrong with that, which changes nothing about what was done."""
        preview = done.preview
        if self._refresh is None or not preview.action.tables or done.result.outcome in NEVER_HAPPENED:
            return []
        devices = [preview.target.id] if preview.target.kind is TargetKind.DEVICE else []
        try:
            self._refresh(preview.action.tables, devices)
        except Exception as error:
            # a mirror that is behind says so by its age
            name = preview.action.name
            log.info("The mirror was not refreshed after %s: %s", name, error, extra=about("action.unrefreshed"))
            return ["The mirror was not refreshed now; the next sync does it."]
        return []

    def _refuse_changed(self, preview: Preview) -> None:
        if preview.target.kind is TargetKind.DEVICE:
            now = read_device(self._client, preview.target.id)
            if not preview.target.same_as(now):
                raise TargetRefused(
                    f"The device changed meanwhile: it is now {now.words(named=False)}. Nothing was sent."
                )

    def _sent(self, preview: Preview) -> ActionResult:
        try:
            return answered(preview, self._client.once(preview.action.method, preview.path, preview.body))
        except MirrorError as error:
            return failed(preview, error)
        except BaseException:  # Ctrl-C while the answer is awaited: the request may have arrived
            self._recorded(preview, ActionResult(Outcome.UNKNOWN, "Interrupted before the answer came."), None)
            raise

    def _observed(
        self, preview: Preview, result: ActionResult, sent_at: datetime, known: frozenset[str]
    ) -> ObservedOutcome | None:
        """Look for the trace of a request whose answer says not all."""
        action, device_id = preview.action, preview.target.id
        if result.outcome is Outcome.UNKNOWN:
            return check_outcome(self._client, SentAction(action, device_id, sent_at, preview.body or {}, known))
        if result.outcome is Outcome.PENDING:
            return check_outcome(self._client, SentAction(action, device_id, None, {}))
        return None

    def _recorded(self, preview: Preview, result: ActionResult, observed: ObservedOutcome | None) -> Sequence[str]:
        """Record the outcome; where that fails the action is done all the same, and the caller has to know both."""
        try:
            self._trail.record_outcome(preview, result, observed)
        except AuditUnavailable as error:
            return [f"The outcome could not be recorded; the log has the intent alone. {error}"]
        return []

    # -- what became of it ---------------------------------------------------------------------------------------------

    def status(self, reference: str, newest: int) -> Iterator[ActionStatus]:
        """Ask the tenant what became of an attempt, or of the newest ones about a device; the newest first.

        :class:`UsageError` where none is recorded.
        """
        found = list(islice(self._trail.attempts(reference.strip(), by_name=self._policy.shows_names), newest))
        if not found:
            raise UsageError(
                f"No live action {reference[:80]!r} is recorded here. `kandji-mirror audit list` shows them all."
            )
        return map(self._checked, found)

    def _checked(self, attempt: Attempt) -> ActionStatus:
        observed = check_attempt(self._client, attempt)
        if attempt.intent and observed:
            self._trail.record_check(attempt.intent, observed)
        return ActionStatus(attempt, observed)


def _refuse_unfit(preview: Preview) -> None:
    if preview.target.kind is TargetKind.DEVICE:
        unfit = preview.action.not_for(preview.target.platform, preview.values)
        if unfit:
            raise TargetRefused(f"{unfit}: {preview.target.words(named=False)}. Nothing was sent.")


def _refuse_unproven(target: Target, typed: str) -> None:
    if not target.proof or typed.strip().casefold() != target.proof.casefold():
        given = repr(typed.strip()[:80])
        raise NotConfirmed(f"{given} is not the {target.proof_name} of the target. Nothing was sent.")
