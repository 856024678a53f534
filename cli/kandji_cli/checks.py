"""The work of ``check``: a round from cron, how the checks stand, a test, and what was told."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from kandji_cli.output import print_rows, say, say_document, tell, warn
from kandji_schema.durations import age, in_words
from kandji_schema.settings import Settings, load
from kandji_schema.text import counted
from kandji_watch.definition import read_checks
from kandji_watch.history import history
from kandji_watch.lock import AlreadyTelling, teller_lock
from kandji_watch.outbox import DONE
from kandji_watch.round import Asked, Round, RoundReport, Sent
from kandji_watch.standing import OFF, UNDELIVERED, CheckLine, Overview, overview, waiting_words, when
from kandji_watch.starting import write_first
from kandji_watch.texts import cut
from kandji_watch.trial import send_trial

LONGEST = 400
"""Most characters of what is wrong with a check; --json has all."""


def write_first_file() -> None:
    """Write the file to begin with and say what comes next."""
    path = write_first(load().home)
    say(str(path))
    tell("Switch checks on in there, then: kandji-mirror check run")


def run_round(names: Sequence[str], *, everything: bool, as_json: bool) -> int:
    """Run a round where no other process tells; return the exit code by how the checks stand then."""
    settings, report, other = load(), None, ""
    try:
        with teller_lock(settings.home):
            report = Round(settings).run(names, everything=everything)
    except AlreadyTelling as error:
        other = str(error)
    stands = overview(settings.home, settings.privacy, datetime.now(UTC))
    if as_json:
        say_document({"told_by_other": other or None, "round": report and _round(report), **_document(stands)})
        return stands.exit_code
    if other:
        tell(other)
    _say_round(report, stands)
    return stands.exit_code


def show_checks(form: str) -> None:
    """Print a line for each check, then what waits and what is wrong."""
    settings, now = load(), datetime.now(UTC)
    stands = overview(settings.home, settings.privacy, now)
    if form == "table":
        rows = [_row(line, now) for line in stands.lines]
        print_rows(("check", "state", "found", "asked", "next", "tells"), rows, form)
        _say_words(stands, now)
        if any(line.state == OFF for line in stands.lines):
            tell("Those that are off are switched on by name in checks.toml; --json has what each tells.")
    else:
        facts = (
            "name",
            "title",
            "state",
            "severity",
            "found",
            "untold",
            "asked_at",
            "next_at",
            "schedule",
            "tell",
            "words",
        )
        lines = ([*map(_plain, (getattr(line, fact) for fact in facts))] for line in stands.lines)
        print_rows(facts, map(tuple, lines), form)
        warn(filter(None, [stands.error]))


def send_test(name: str, targets: Sequence[str]) -> int:
    """Send a test and say what became of it, a line for each target."""
    settings = load()
    sent = send_trial(settings, name, targets, datetime.now(UTC))
    for each in sent:
        say(f"{each.target}: {_sent_words(each)}")
    return 0 if all(each.state == DONE for each in sent) else UNDELIVERED


def show_history(name: str | None, limit: int, form: str) -> None:
    """Print the newest events."""
    settings: Settings = load()
    rows = history(settings.home, read_checks(settings.home, settings.privacy), name)
    shown = [(each.at, each.check, each.event, each.what, each.detail) for each in rows[:limit]]
    print_rows(("at", "check", "event", "what", "detail"), shown, form)
    if len(rows) > limit:
        tell(f"The newest {limit} of {len(rows):,}; --limit shows more.")


def _say_round(report: RoundReport | None, stands: Overview) -> None:
    now = datetime.now(UTC)
    if report:
        for asked in report.asked:
            say(f"{asked.name}: {_asked_words(asked, now)}")
        for sent in report.sent:
            say(f"{sent.target}: {_sent_words(sent)}: {sent.title}")
        warn([*report.broken.values(), *filter(None, [report.damage])])
        if not report.asked and not report.broken:
            tell(
                "No check is switched on. `kandji-mirror check init` writes a checks.toml to begin with; checks are "
                "switched on in there."
            )
    else:
        _say_words(stands, now, with_waiting=False)
    if stands.waiting:
        say(f"{waiting_words(stands.waiting, now)}.")


def _asked_words(asked: Asked, now: datetime) -> str:
    if asked.due_at:
        return f"not due for {in_words((asked.due_at - now).total_seconds())}"
    if asked.trouble:
        return f"no answer: {cut(asked.trouble, LONGEST)}"
    if asked.baseline is not None:
        return f"{asked.baseline:,} at the first look; from now on new ones are told"
    changed = [f"{asked.began:,} new"] * bool(asked.began) + [f"{asked.ended:,} ended"] * bool(asked.ended)
    return ", ".join([*(changed or ["nothing new"]), f"{asked.total:,} in all"])


def _sent_words(sent: Sent) -> str:
    if sent.state == DONE:
        return f"told {sent.telling}"
    return f"not told {sent.telling}, {sent.state}: {sent.words}"


def _row(line: CheckLine, now: datetime) -> tuple[object, ...]:
    if line.state == OFF:
        return line.name, line.state, None, None, None, None
    upcoming = f"in {age(now, line.next_at)}" if line.next_at and line.next_at > now else "now"
    told = ", ".join(line.tell) or "nobody"
    shown = line.found if line.asked_at else None
    return line.name, line.state, shown, when(line.asked_at, now), upcoming if line.schedule else None, told


def _say_words(stands: Overview, now: datetime, *, with_waiting: bool = True) -> None:
    warn(filter(None, [stands.error]))
    for line in stands.lines:
        if line.words:
            tell(f"{line.name}: {cut(line.words, LONGEST)}")
        if line.untold:
            tell(f"{line.name}: {counted(line.untold, 'change')} not told yet{'' if line.tell else ', to nobody'}.")
    for _, words in stands.broken:
        tell(words)
    for each in stands.failed:
        tell(f"{each.target} was not told {each.telling} ({each.state}): {each.error}. It is not tried again.")
    if stands.waiting and with_waiting:
        tell(f"{waiting_words(stands.waiting, now)}.")
    if stands.damaged:
        tell(f"What was remembered was damaged and is kept as {stands.damaged}.")


def _round(report: RoundReport) -> dict[str, Any]:
    return {**asdict(report), "damage": report.damage or None}


def _document(stands: Overview) -> dict[str, Any]:
    return {
        "exit_code": stands.exit_code,
        "error": stands.error or None,
        "checks": [asdict(line) for line in stands.lines if line.state != OFF],
        "waiting": [*_deliveries(stands.waiting)],
        "failed": [*_deliveries(stands.failed)],
    }


def _deliveries(found: Iterable[Any]) -> Iterator[dict[str, Any]]:
    shown = ("telling", "check", "title", "target", "state", "attempts", "unsure", "made_at", "next_at", "error")
    for each in found:
        yield {name: getattr(each, name) for name in shown}


def _plain(value: object) -> object:
    return [*value] if isinstance(value, tuple) else value
