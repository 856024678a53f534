"""How the checks of a home stand: for lists, status and exit codes. It looks, and changes nothing."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from kandji_schema.durations import age, ago
from kandji_schema.errors import MirrorError, StoreError
from kandji_schema.privacy import Privacy
from kandji_schema.text import counted
from kandji_watch import findings, outbox
from kandji_watch.definition import Check, CheckFile, built_in, checks_path, read_checks
from kandji_watch.outbox import Delivery
from kandji_watch.state import DAMAGED, State, fact

RECENT = timedelta(days=1)
"""So long a delivery that was refused or given up counts as trouble."""

FINDINGS, UNDELIVERED = 10, 11
"""Exit codes of `check run`: something is found now; something could not be asked or told. 0: neither."""

OK, FOUND, TROUBLE, WRONG, NEVER, OFF = "ok", "findings", "no answer", "wrong", "not asked yet", "off"
"""States of a check."""


@dataclass(frozen=True, kw_only=True)
class CheckLine:
    """One check as it stands; ``words`` say what is wrong with it. Moments are aware UTC."""

    name: str
    title: str
    severity: str = ""
    state: str
    found: int = 0
    untold: int = 0
    asked_at: datetime | None = None
    next_at: datetime | None = None
    schedule: str = ""
    tell: tuple[str, ...] = ()
    words: str = ""


@dataclass(frozen=True)
class Overview:
    """All of it. ``error`` is why something cannot be read at all, ``damaged`` the name of a file that was set aside.

    ``waiting`` are deliveries on their way, ``failed`` those that were refused or given up in the last day, and
    ``broken`` targets that are written wrongly, by ``target NAME``.
    """

    lines: tuple[CheckLine, ...] = ()
    waiting: tuple[Delivery, ...] = ()
    failed: tuple[Delivery, ...] = ()
    broken: tuple[tuple[str, str], ...] = ()
    error: str = ""
    damaged: str = ""

    @property
    def on(self) -> list[CheckLine]:
        """The checks that are switched on."""
        return [line for line in self.lines if line.state != OFF]

    @property
    def exit_code(self) -> int:
        """The exit code of `check run`."""
        bad = any(line.state in {TROUBLE, WRONG} for line in self.lines)
        if self.error or bad or self.broken or self.failed or any(each.attempts for each in self.waiting):
            return UNDELIVERED
        return FINDINGS if any(line.found for line in self.lines) else 0

    def sentence(self, now: datetime) -> str:
        """Say it in a line, for status; empty where there are no checks."""
        if self.error:
            return self.error
        on = self.on
        if not on and not self.broken:
            return ""
        return "; ".join([f"{counted(len(on), 'check')} on", *self._troubles(on, now)])

    def _troubles(self, on: list[CheckLine], now: datetime) -> Iterator[str]:
        if found := [line for line in on if line.found]:
            yield f"{counted(sum(line.found for line in found), 'finding')} in {len(found)}"
        if silent := [line.name for line in on if line.state == TROUBLE]:
            yield f"no answer: {', '.join(silent)}"
        if wrong := [line.name for line in on if line.state == WRONG] + [name for name, _ in self.broken]:
            yield f"wrong in checks.toml: {', '.join(wrong)}"
        if self.waiting:
            yield f"{waiting_words(self.waiting, now)}"
        for each in self.failed[-3:]:
            yield f"{each.target} was not told {each.telling} ({each.state}: {each.error})"
        if self.damaged:
            yield f"what was remembered was damaged and is kept as {self.damaged}"


def waiting_words(waiting: tuple[Delivery, ...], now: datetime) -> str:
    """Say what is on its way, since when, and why it did not arrive yet."""
    oldest = min(each.made_at for each in waiting)
    number = (
        f"{len(waiting):,} {'delivery waits' if len(waiting) == 1 else 'deliveries wait'} (since {age(oldest, now)})"
    )
    again = {
        each.target: f" (tried again in {age(now, each.next_at)})"
        for each in waiting
        if each.next_at and each.next_at > now
    }
    why = {each.target: each.error for each in waiting if each.error}
    return "".join([number, *(f", {target}: {words}{again.get(target, '')}" for target, words in why.items())])


def overview(home: Path, privacy: Privacy, now: datetime) -> Overview:
    """Return how the checks of a home stand; what cannot be read is said in it and not raised."""
    try:
        file = read_checks(home, privacy)
        if not checks_path(home).exists():
            return Overview(tuple(_off(file)))
        with State(home).reading() as connection:
            return _overview(file, connection, now)
    except StoreError as error:
        return Overview(error=str(error))
    except MirrorError as error:
        return Overview(error=str(error))
    except sqlite3.Error as error:
        return Overview(error=f"What is remembered of checks cannot be read: {error}.")


def _overview(file: CheckFile, connection: sqlite3.Connection | None, now: datetime) -> Overview:
    lines = [_line(check, connection, now) for check in file.checks.values()]
    lines += [_broken(name, words) for name, words in file.broken.items() if name.startswith("check ")]
    targets = tuple((name, words) for name, words in file.broken.items() if name.startswith("target "))
    if connection is None:
        return Overview((*lines, *_off(file)), broken=targets)
    damaged = fact(connection, DAMAGED)
    failed = [each for each in outbox.ended_badly(connection) if each.ended_at and each.ended_at > now - RECENT]
    return Overview(
        (*lines, *_off(file)),
        waiting=tuple(outbox.waiting(connection)),
        failed=tuple(failed),
        broken=targets,
        damaged=damaged["file"] if damaged and datetime.fromisoformat(damaged["at"]) > now - 7 * RECENT else "",
    )


def _line(check: Check, connection: sqlite3.Connection | None, now: datetime) -> CheckLine:
    asked = findings.asked_at(connection, check.name) if connection else None
    found = findings.found_now(connection, check, now) if connection else 0
    words = findings.trouble_of(connection, check.name) if connection else ""
    began, ended = findings.untold(connection, check.name) if connection else ([], [])
    state = NEVER if asked is None else TROUBLE if words else FOUND if found else OK
    return CheckLine(
        name=check.name,
        title=check.title,
        severity=check.severity,
        state=state,
        found=found,
        untold=len(began) + len(ended),
        asked_at=asked,
        next_at=max(now, findings.due_at(connection, check, now)) if connection else now,
        schedule=str(check.schedule),
        tell=check.tell,
        words=words,
    )


def _broken(name: str, words: str) -> CheckLine:
    return CheckLine(name=name.removeprefix("check "), title="", state=WRONG, words=words)


def _off(file: CheckFile) -> Iterator[CheckLine]:
    """Yield the built-in checks that are not switched on."""
    for name, table in built_in().items():
        if name not in file.checks and f"check {name}" not in file.broken:
            yield CheckLine(name=name, title=str(table["title"]), severity=str(table.get("severity", "")), state=OFF)


def when(moment: datetime | None, now: datetime) -> str:
    """Say when something was, or that it never was."""
    return ago(moment, now) if moment else "never"
