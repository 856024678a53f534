"""``action`` and ``secret`` at a terminal: show what would be sent, ask for the serial number, send once, tell.

What may be done, and by whom, the action service says; here its requests and answers become words.
"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache, partial

import click

from kandji_cli.output import print_rows, say, say_document, tell
from kandji_mirror.actions.codes import WrongCode
from kandji_mirror.actions.confirmations import Confirmation
from kandji_mirror.actions.factory import open_service
from kandji_mirror.actions.outcome_check import ActionStatus
from kandji_mirror.actions.policy import ActionRequest, ConfirmedBy, refuse_if_off
from kandji_mirror.actions.preview import Preview
from kandji_mirror.actions.resolve import shown
from kandji_mirror.actions.results import Performed
from kandji_mirror.actions.service import ActionService
from kandji_queries.results.values import for_eyes
from kandji_schema.actions import actions
from kandji_schema.actions.arguments import Argument
from kandji_schema.actions.record import Action, Risk
from kandji_schema.errors import ActionsOff, AuditUnavailable, MirrorError, NotConfirmed, UsageError
from kandji_schema.settings import load

NEWEST = 10
"""Attempts that ``action status DEVICE`` follows."""


def act(
    record: Action,
    *,
    targets: Sequence[str],
    pairs: Sequence[str],
    reason: str,
    serials: Sequence[str],
    to_stdout: bool,
) -> None:
    """Preview for every target, then ask for every confirmation, then send one after the other."""
    with open_service(load()) as service:
        with service.refusals(record.name, ", ".join(targets)):
            given = arguments(record, pairs)
        request = ActionRequest(
            action=record,
            targets=tuple(targets),
            arguments=given,
            reason=_why(record, reason),
            confirm=True,  # who types the command means it
            seen_by_person=to_stdout or sys.stdout.isatty(),
        )
        previews = service.preview(request)
        _show(previews)
        confirmed = [(preview, _confirmed(service, preview, _nth(serials, n))) for n, preview in enumerate(previews)]
        _carry_out(service, confirmed, to_stdout=to_stdout)


def confirm_token(token: str, serials: Sequence[str], *, to_stdout: bool) -> None:
    """Carry out what a token stands for, once the serial number was typed here."""
    with open_service(load()) as service:
        preview = service.pending(token, seen_by_person=to_stdout or sys.stdout.isatty())
        _show([preview])
        confirmation = _confirmed(service, preview, _nth(serials, 0), token)
        _carry_out(service, [(preview, confirmation)], to_stdout=to_stdout)


def show_status(reference: str, form: str) -> None:
    """Print what became of one attempt, or of the newest ones about a device."""
    with open_service(load()) as service:
        found = list(service.status(reference, NEWEST))
    if form == "json":
        say_document([_status_document(status) for status in found])
        return
    for status in found:
        _tell_status(status)


def show_actions(form: str) -> None:
    """Print the records; what is listed need not be allowed here, which is said."""
    rows = [
        (a.name, a.title, ", ".join(map(_signature, a.arguments)), ", ".join(a.platforms) or "any", a.risk.value)
        for a in actions().values()
        if not a.secret
    ]
    print_rows(("action", "does", "arguments", "platforms", "risk"), rows, form)
    try:
        refuse_if_off(load())
    except ActionsOff as off:
        tell(str(off))


# -- what was typed ------------------------------------------------------------------------------------------------


def arguments(record: Action, pairs: Sequence[str]) -> Mapping[str, str]:
    """Return ``name=value`` texts by name. A secret is given as ``-`` and asked for unseen, or read from stdin.

    On the command line itself every process of the machine could read it.
    """
    hidden = {argument.name for argument in record.arguments if argument.secret}
    given: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:  # it may be a secret, so it is not repeated
            raise UsageError("An --arg is not name=value. Example: --arg message='Call IT'. Nothing was sent.")
        if name in given:
            raise UsageError(f"--arg {name[:40]} was given twice. Nothing was sent.")
        if name in hidden and value != "-":
            raise UsageError(
                f"--arg {name}=... would show it to every process of this machine, and your shell would keep it. Give "
                f"--arg {name}=- instead: it is asked for unseen, or read from standard input. Nothing was sent."
            )
        given[name] = _unseen(name) if name in hidden else value
    return given


def _unseen(name: str) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline(1_000).rstrip("\r\n")
    return str(click.prompt(name, hide_input=True, err=True))


def _why(record: Action, reason: str) -> str:
    """Ask why at a terminal, where no reason was given for what cannot be undone."""
    at_terminal = sys.stdin.isatty() and sys.stderr.isatty()
    if reason.strip() or record.risk is not Risk.DESTROYS or not at_terminal:
        return reason
    return str(click.prompt("Why, for the audit log", err=True))


def _confirmed(service: ActionService, preview: Preview, serial: str | None, token: str | None = None) -> Confirmation:
    """Take ``--serial`` or ask at the terminal; a one-time code is asked for as often as it may be tried."""
    if preview.action.only_reads:
        return service.confirm_read(preview)
    by, typed = ConfirmedBy.TERMINAL, cache(partial(_typed, preview))  # a wrong code asks for no second serial number
    if serial is not None:
        by, typed = ConfirmedBy.FLAG, cache(partial(str, serial))
    # a code never comes from the command line, which every process of the machine may read
    code: Callable[[], str] = partial(_unseen, f"The one-time code that was sent for action {preview.id}")
    while True:
        try:
            return service.confirm(preview, by, typed, code=code, token=token)
        except WrongCode as wrong:
            if not wrong.left:
                raise
            tell(str(wrong))
        except click.Abort:
            service.decline(preview, "Given up at the terminal.")
            raise


def _typed(preview: Preview) -> str:
    what = preview.target.proof_name
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise NotConfirmed(f"There is no terminal to type the target's {what} at; see --serial. Nothing was sent.")
    return str(click.prompt(f"Type the target's {what} to go on", default="", show_default=False, err=True))


# -- what is told --------------------------------------------------------------------------------------------------


def _show(previews: Iterable[Preview]) -> None:
    """Print what would be sent, on stderr."""
    for preview in previews:
        for line in preview.lines():
            tell(line)


def _carry_out(service: ActionService, confirmed: Sequence[tuple[Preview, Confirmation]], *, to_stdout: bool) -> None:
    """Send each, tell how each ended, and end with the first error."""
    errors: list[MirrorError] = []
    for preview, confirmation in confirmed:
        try:
            done = service.perform(preview, confirmation)
        except AuditUnavailable:
            raise
        except MirrorError as error:
            errors.append(error)
            continue
        _tell_done(done, to_stdout=to_stdout)
        for note in (*done.notes, *service.refresh(done)):
            tell(note)
        errors += [done.error] if done.error else []
    if errors:
        raise errors[0]


def _tell_done(done: Performed, *, to_stdout: bool) -> None:
    preview, result = done.preview, done.result
    target = preview.target.serial or preview.target.name
    say(f"{preview.action.name} {target}: {result.outcome}. {shown(result.detail)}. (action {preview.id})")
    if done.observed:
        say(f"{shown(done.observed.words)}.")
    _tell_secrets(done, to_stdout=to_stdout)
    if isinstance(result.answer, list):
        _tell_notes(result.answer)
    elif result.answer:
        say(", ".join(f"{key}: {shown(value)}" for key, value in result.answer.items()))
    if preview.action.commands and not done.error:
        tell(f"Follow it with `kandji-mirror action status {preview.id}`.")


def _tell_secrets(done: Performed, *, to_stdout: bool) -> None:
    secrets = done.result.secrets
    if secrets and not (to_stdout or sys.stdout.isatty()):
        again = f"`kandji-mirror secret unlockpin {done.preview.target.proof}`"
        tell(f"A secret was returned and is not shown, since the output is no terminal. Read it with {again}.")
        return
    for name, value in secrets.items():
        say(f"{name}: {shown(value) or 'none escrowed'}")


def _tell_notes(notes: Sequence[object]) -> None:
    keys = ("note_id", "created_at", "author", "content")
    print_rows(keys, [tuple(n.get(k) for k in keys) for n in notes if isinstance(n, dict)], "table")


def _status_document(status: ActionStatus) -> Mapping[str, object]:
    first = status.attempt.intent or status.attempt.records[0]
    kept = ("action", "device_id", "serial_number", "recorded_at")
    seen = {"state": status.observed.state, "words": status.observed.words} if status.observed else None
    facts = {name: first[name] for name in kept}
    return {"action_id": status.attempt.action_id, **facts, "outcome": status.attempt.outcome, "observed": seen}


def _tell_status(status: ActionStatus) -> None:
    attempt = status.attempt
    first = attempt.intent or attempt.records[0]
    say(
        f"{attempt.action_id} {first['action']} {shown(first['serial_number'] or first['device_id'])} "
        f"{for_eyes(datetime.fromisoformat(str(first['recorded_at'])))} UTC: {attempt.outcome}"
    )
    if status.observed:
        say(f"  {status.observed.state}: {shown(status.observed.words)}")


def _nth(texts: Sequence[str], n: int) -> str | None:
    return texts[n] if n < len(texts) else None


def _signature(argument: Argument) -> str:
    return argument.name if argument.required else f"[{argument.name}]"
