"""Carrying out live actions at a terminal: show, ask for the serial number, send once, tell."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

import click

from kandji_cli.output import print_rows, say, tell
from kandji_mirror.actions.codes import WrongCode
from kandji_mirror.actions.desk import Desk, Done, Yes
from kandji_mirror.actions.following import follow
from kandji_mirror.actions.opening import desk_of, refuse_if_off
from kandji_mirror.actions.plan import Plan
from kandji_mirror.actions.subjects import shown
from kandji_mirror.audit.log import Attempt, attempts_of
from kandji_schema.actions import actions
from kandji_schema.actions.arguments import Argument
from kandji_schema.actions.record import Action, Risk, Target
from kandji_schema.errors import AuditUnavailable, MirrorError, NotConfirmed, UsageError
from kandji_schema.settings import Settings, load

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
    """Preview for every target, then ask for every yes, then send one after the other."""
    settings = load()
    refuse_if_off(settings)
    with desk_of(settings) as desk:
        with desk.journal.refusals(record.name, ", ".join(targets)):
            given = arguments(record, pairs)
            _refuse_unseen(record, settings, to_stdout=to_stdout)
            reason = _why(record, reason)
            named = _targets(record, targets, settings.mirror_action_devices)
        plans = [desk.preview(record, target, given, reason) for target in named]
        _refuse_twice(desk, plans)
        show(plans)
        yeses = [
            _yes(desk, plan, _nth(serials, n), scripts=settings.mirror_confirm == "agent" or _can_be_undone(plan))
            for n, plan in enumerate(plans)
        ]
        carry_out(desk, list(zip(plans, yeses, strict=True)), to_stdout=to_stdout)


def confirm_token(token: str, serials: Sequence[str], *, to_stdout: bool) -> None:
    """Carry out what a token stands for, once the serial number was typed here."""
    settings = load()
    refuse_if_off(settings)
    with desk_of(settings) as desk:
        plan = desk.awaited(token)
        with desk.journal.refusals_of(plan):
            _refuse_unseen(plan.action, settings, to_stdout=to_stdout)
        show([plan])
        yes = _yes(desk, plan, _nth(serials, 0), scripts=settings.mirror_confirm == "agent")
        desk.redeem(plan, token)
        carry_out(desk, [(plan, yes)], to_stdout=to_stdout)


def follow_up(reference: str) -> None:
    """Print what became of one attempt, or of the newest ones about a device."""
    settings = load()
    refuse_if_off(settings)
    with desk_of(settings) as desk:
        found = list(islice(attempts_of(desk.journal.audit, reference), NEWEST))
        if not found:
            raise UsageError(f"No live action {reference!r} is recorded. `kandji-mirror audit list` shows them all.")
        for attempt in found:
            _tell_attempt(attempt, desk)


def show_actions() -> None:
    """Print the records."""
    refuse_if_off(load())
    rows = [
        (a.name, a.title, ", ".join(map(_signature, a.arguments)), ", ".join(a.platforms) or "any", a.risk.value)
        for a in actions().values()
        if not a.secret
    ]
    print_rows(("action", "does", "arguments", "platforms", "risk"), rows, "table")


def arguments(record: Action, pairs: Sequence[str]) -> Mapping[str, str]:
    """``name=value`` texts by name. A secret is given as ``-`` and asked for unseen, or read from standard input.

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
    """What cannot be undone is asked about at a terminal, where no reason was given."""
    at_terminal = sys.stdin.isatty() and sys.stderr.isatty()
    if reason.strip() or record.risk is not Risk.DESTROYS or not at_terminal:
        return reason
    return str(click.prompt("Why, for the audit log", err=True))


def show(plans: Iterable[Plan]) -> None:
    """What would be sent, on stderr."""
    for plan in plans:
        for line in plan.lines():
            tell(line)


def carry_out(desk: Desk, confirmed: Sequence[tuple[Plan, Yes]], *, to_stdout: bool) -> None:
    """Send each, tell how each ended, and end with the first error."""
    errors: list[MirrorError] = []
    for plan, yes in confirmed:
        try:
            done = desk.perform(plan, yes)
        except AuditUnavailable:
            raise
        except MirrorError as error:
            errors.append(error)
            continue
        _tell_done(done, to_stdout=to_stdout)
        for note in (*done.notes, *desk.refreshed(done)):
            tell(note)
        errors += [done.error] if done.error else []
    if errors:
        raise errors[0]


def _targets(record: Action, targets: Sequence[str], most: int) -> Sequence[str]:
    if record.target is Target.TENANT:
        if targets:
            raise UsageError(f"{record.name} takes no target; name the tag with --arg name=... Nothing was sent.")
        return ("",)
    if not targets:
        raise UsageError(f"{record.name} needs the {record.target.name.lower()} it is done to. Nothing was sent.")
    if len(targets) > most:
        raise UsageError(
            f"{len(targets)} targets were named; KANDJI_MIRROR_ACTION_DEVICES allows {most} at once. Nothing was sent."
        )
    return targets


def _refuse_twice(desk: Desk, plans: Sequence[Plan]) -> None:
    seen: set[str] = set()
    for plan in plans:
        if plan.subject.id in seen:
            with desk.journal.refusals_of(plan):
                raise UsageError(f"{plan.subject.words(named=False)} was named twice. Nothing was sent.")
        seen.add(plan.subject.id)


def _refuse_unseen(record: Action, settings: Settings, *, to_stdout: bool) -> None:
    """A secret goes to a person's eyes: into a pipe or a file only where that was said in so many words."""
    private = record.secret or (record.risk is Risk.READS and settings.mirror_privacy == "on")
    if private and not (to_stdout or sys.stdout.isatty()):
        raise UsageError(
            f"{record.name} is shown on a terminal, and the output is none. Add --to-stdout if it shall go elsewhere. "
            "Nothing was sent."
        )


def _can_be_undone(plan: Plan) -> bool:
    return not (plan.destroys or plan.action.secret)


def _yes(desk: Desk, plan: Plan, serial: str | None, *, scripts: bool) -> Yes:
    """The yes to one plan: its serial number typed at a terminal, or from ``--serial`` where ``scripts`` may."""
    if plan.action.risk is Risk.READS and not plan.action.secret:
        return desk.unasked(plan)
    if serial is not None:
        with desk.journal.refusals_of(plan):
            if not scripts:
                raise NotConfirmed(
                    f"{plan.action.name} has to be confirmed by a human at a terminal; --serial counts here only "
                    'where config.toml says mirror_confirm = "agent". Nothing was sent.'
                )
        return _confirmed(desk, plan, serial, "flag")
    return _confirmed(desk, plan, _typed(desk, plan), "terminal")


def _confirmed(desk: Desk, plan: Plan, serial: str, by: str) -> Yes:
    """The desk's yes; where it wants a one-time code, that is asked for as often as it may be tried."""
    while True:
        try:
            return desk.confirm(plan, serial, by, lambda: _code(desk, plan))
        except WrongCode as wrong:
            if not wrong.left:
                raise
            tell(str(wrong))


def _code(desk: Desk, plan: Plan) -> str:
    """Never from the command line, which every process of the machine may read."""
    try:
        return _unseen(f"The one-time code that was sent for action {plan.id}")
    except click.Abort:
        desk.journal.declined(plan, "Given up at the terminal.")
        raise


def _typed(desk: Desk, plan: Plan) -> str:
    what = plan.subject.proof_name
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        with desk.journal.refusals_of(plan):
            raise NotConfirmed(f"There is no terminal to type the target's {what} at; see --serial. Nothing was sent.")
    try:
        return str(click.prompt(f"Type the target's {what} to go on", default="", show_default=False, err=True))
    except click.Abort:
        desk.journal.declined(plan, "Given up at the terminal.")
        raise


def _tell_done(done: Done, *, to_stdout: bool) -> None:
    plan, ending = done.plan, done.ending
    target = plan.subject.serial or plan.subject.name
    say(f"{plan.action.name} {target}: {ending.outcome}. {shown(ending.detail)}. (action {plan.id})")
    if done.found:
        say(f"{shown(done.found.words)}.")
    _tell_secrets(done, to_stdout=to_stdout)
    if isinstance(ending.answer, list):
        _tell_notes(ending.answer)
    elif ending.answer:
        say(", ".join(f"{key}: {shown(value)}" for key, value in ending.answer.items()))
    if plan.action.commands and not done.error:
        tell(f"Follow it with `kandji-mirror action status {plan.id}`.")


def _tell_secrets(done: Done, *, to_stdout: bool) -> None:
    secrets = done.ending.secrets
    if secrets and not (to_stdout or sys.stdout.isatty()):
        again = f"`kandji-mirror secret unlockpin {done.plan.subject.proof}`"
        tell(f"A secret was returned and is not shown, since the output is no terminal. Read it with {again}.")
        return
    for name, value in secrets.items():
        say(f"{name}: {shown(value) or 'none escrowed'}")


def _tell_notes(notes: Sequence[object]) -> None:
    keys = ("note_id", "created_at", "author", "content")
    print_rows(keys, [tuple(n.get(k) for k in keys) for n in notes if isinstance(n, dict)], "table")


def _tell_attempt(attempt: Attempt, desk: Desk) -> None:
    first = attempt.intent or attempt.records[0]
    say(
        f"{attempt.action_id} {first['action']} {shown(first['serial_number'] or first['device_id'])} "
        f"{first['recorded_at']}: {attempt.outcome}"
    )
    found = follow(desk.client, desk.journal, attempt)
    if found:
        say(f"  {found.state}: {shown(found.words)}")


def _nth(texts: Sequence[str], n: int) -> str | None:
    return texts[n] if n < len(texts) else None


def _signature(argument: Argument) -> str:
    return argument.name if argument.required else f"[{argument.name}]"
