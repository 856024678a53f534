"""One round: ask what is due, write down what is new, write the texts, send what waits: in this order, on the disk.

Killed between two of these steps, the next round goes on where this one ended: what was found and not told is told,
what was written and not sent is sent. Whoever runs a round holds the lock (:mod:`kandji_watch.lock`).
"""

import logging
import sqlite3
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import wait as wait_for
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from kandji_mirror.threads import in_thread
from kandji_schema.errors import ConfigurationError, MirrorError, UnknownName
from kandji_schema.events import about, recovery, trouble
from kandji_schema.home import refuse_foreign
from kandji_schema.privacy import Privacy
from kandji_schema.settings import Settings
from kandji_watch import findings, outbox
from kandji_watch.asking import Asker
from kandji_watch.conditions import Rows
from kandji_watch.definition import Check, CheckFile, read_checks
from kandji_watch.looking import Look, Looked
from kandji_watch.outbox import Delivery
from kandji_watch.pages import pages_address
from kandji_watch.sending import attempt
from kandji_watch.state import DAMAGED, State, fact, set_fact
from kandji_watch.telling import is_quiet, tell_common_troubles, tell_one
from kandji_watch.texts import plain_document

log = logging.getLogger(__name__)

ROUND_SECONDS = 120.0
"""So long one target is sent texts in one round; what is left is sent in the next."""

_MODES = (Privacy.OFF, Privacy.AGENTS, Privacy.ON)
"""From what shows most to what shows least."""

DAMAGE_TITLE = "What was remembered of checks was damaged"


@dataclass(frozen=True)
class Asked:
    """What became of one check. ``due_at`` is set where it was not asked; ``trouble`` says why it has no answer."""

    name: str
    began: int = 0
    ended: int = 0
    total: int = 0
    baseline: int | None = None
    trouble: str = ""
    due_at: datetime | None = None


@dataclass(frozen=True)
class Sent:
    """What became of one attempt to deliver; ``words`` say why it did not end well."""

    target: str
    title: str
    telling: str
    state: str
    words: str = ""


@dataclass
class RoundReport:
    """What one round did. ``broken`` are checks and targets that are written wrongly, ``damage`` what was set aside."""

    asked: list[Asked] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    told: int = 0
    broken: Mapping[str, str] = field(default_factory=dict)
    damage: str = ""


class Round:
    """A round over one home, by its settings. ``clock`` tells the time, aware UTC; ``jitter`` answers 0.0 to 1.0."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        asker: Callable[[Settings], Asker] = Asker,
        jitter: Callable[[], float] = lambda: 0.5,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._asker = asker
        self._jitter = jitter
        self._state = State(settings.home)

    def run(self, names: Sequence[str] = (), *, everything: bool = False) -> RoundReport:
        """Do it for the checks that are due, for the named ones, or for ``everything``.

        Raises :class:`ConfigurationError` where the file of checks is wrong as a whole or the home is another tenant's,
        :class:`UnknownName`, and :class:`StoreError` where what is remembered cannot be used.
        """
        refuse_foreign(self._settings)
        file = read_checks(self._settings.home, self._settings.privacy)
        wanted = _named(file, names)
        now = self._clock()
        report = RoundReport(broken=file.broken, damage=self._state.prepare(now) or "")
        self._tidy(file, now)
        report.asked = self._ask(file, wanted, now, forced=everything or bool(names))
        report.told = self._tell(file, now)
        report.sent = self._send(file)
        return report

    # -- before --------------------------------------------------------------------------------------------------------

    def _tidy(self, file: CheckFile, now: datetime) -> None:
        with self._state.writing() as connection:
            if begun := outbox.recover(connection):
                words = "%s deliveries had begun when a process ended; they are sent again and say so."
                log.warning(words, begun, extra=about("delivery.again", count=begun))
            outbox.mend_clock(connection, now)
            broken = [name.removeprefix("target ") for name in file.broken if name.startswith("target ")]
            outbox.drop_orphans(connection, [*file.targets, *broken], now)
            findings.forget_gone(connection, file.names)
            self._keep_private(connection, now)
            outbox.trim(connection, now)
            findings.trim(connection, now)

    def _keep_private(self, connection: sqlite3.Connection, now: datetime) -> None:
        """Forget what was remembered in a mode that showed more than this one does."""
        mode, before = self._settings.privacy, fact(connection, "privacy")
        if before and _MODES.index(mode) > _MODES.index(Privacy(before)):
            findings.forget_all(connection, now)
        set_fact(connection, "privacy", mode.value)

    # -- asking --------------------------------------------------------------------------------------------------------

    def _ask(self, file: CheckFile, wanted: Collection[str], now: datetime, *, forced: bool) -> list[Asked]:
        with self._state.writing() as connection:
            due = {name: findings.due_at(connection, check, now) for name, check in file.checks.items()}
        found = []
        with closing(self._asker(self._settings)) as asker:
            look = Look(self._settings.home, asker, now)
            for name, check in file.checks.items():
                if name not in wanted or (due[name] > now and not forced):
                    found.append(Asked(name, due_at=max(due[name], now)))
                else:
                    found.append(self._ask_one(check, look, now))
        return found

    def _ask_one(self, check: Check, look: Look, now: datetime) -> Asked:
        with self._state.writing() as connection:
            memory = findings.memory_of(connection, check.name)
        try:
            looked = look.of(check, memory)
        except MirrorError as error:
            return self._troubled(check, str(error), now)
        except Exception as error:
            fault = trouble("check.bug", check=check.name)
            log.exception("The check %s met with a fault of this program.", check.name, extra=fault)
            return self._troubled(check, f"A fault of this program ({type(error).__name__}); its log tells where.", now)
        return self._answered(check, looked, look.tenant(), now)

    def _answered(self, check: Check, looked: Looked, tenant: str, now: datetime) -> Asked:
        baseline = isinstance(check.condition, Rows) and check.condition.baseline
        basis = f"{tenant} {looked.basis}"
        with self._state.writing() as connection:
            noted = findings.note_answer(connection, check.name, looked, now, baseline=baseline, basis=basis)
            if noted.baseline is not None:
                set_fact(connection, f"baseline of {check.name}", noted.baseline)
            if noted.anew:
                set_fact(connection, f"anew {check.name}", True)
            total = findings.open_count(connection, check.name)
        return Asked(check.name, noted.began, noted.ended, total, noted.baseline)

    def _troubled(self, check: Check, words: str, now: datetime) -> Asked:
        with self._state.writing() as connection:
            findings.note_trouble(connection, check.name, words, now)
            return Asked(check.name, total=findings.open_count(connection, check.name), trouble=words)

    # -- telling -------------------------------------------------------------------------------------------------------

    def _tell(self, file: CheckFile, now: datetime) -> int:
        """Write the texts of what is not told yet, each with its findings at one moment; return how many there are."""
        pages = pages_address(self._settings, file)
        awake = [check for check in file.checks.values() if check.tell and not is_quiet(check, now)]
        with self._state.writing() as connection:
            told = _tell_damage(connection, file, now) + tell_common_troubles(connection, awake, now)
        for check in awake:
            with self._state.writing() as connection:
                told += tell_one(connection, check, pages, now)
        return told

    # -- sending -------------------------------------------------------------------------------------------------------

    def _send(self, file: CheckFile) -> list[Sent]:
        """Send what waits, to all targets side by side; a target that hangs holds up no other."""
        now = self._clock()
        quiet = {name for name, check in file.checks.items() if is_quiet(check, now)}
        with self._state.writing() as connection:
            due = outbox.due(connection, now)
        awake = {
            target: [each for each in listed if each.check not in quiet]
            for target, listed in due.items()
            if target in file.targets
        }
        tasks = [in_thread(partial(self._send_all, file, listed)) for listed in awake.values()]
        wait_for(tasks)
        return [sent for task in tasks for sent in task.result()]

    def _send_all(self, file: CheckFile, deliveries: Sequence[Delivery]) -> list[Sent]:
        """Send one target its texts until one fails that may be tried again."""
        began, sent = time.monotonic(), []
        for delivery in deliveries:
            if time.monotonic() - began > ROUND_SECONDS:
                break
            with self._state.writing() as connection:
                if not outbox.begin(connection, delivery, self._clock()):
                    continue
            target = file.targets[delivery.target]
            ended = attempt(target, delivery.document, repeated=delivery.unsure, ca_file=self._settings.mirror_ca_file)
            with self._state.writing() as connection:
                state = outbox.end(connection, delivery, ended, self._clock(), self._jitter)
            if ended.words:
                failed = trouble("delivery.failed", target=delivery.target)
                log.warning("%s was not told %s: %s.", delivery.target, delivery.telling, ended.words, extra=failed)
            else:
                told = recovery("delivery.sent", "delivery.failed", target=delivery.target)
                log.info("%s was told %s.", delivery.target, delivery.telling, extra=told)
            sent.append(Sent(delivery.target, delivery.title, delivery.telling, state, ended.words))
            if state == outbox.WAITING:
                break
        return sent


def _named(file: CheckFile, names: Sequence[str]) -> Collection[str]:
    for name in names:
        if f"check {name}" in file.broken:
            raise ConfigurationError(file.broken[f"check {name}"])
        if name not in file.checks:
            raise UnknownName("check in checks.toml", name, file.checks)
    return names or file.checks.keys()


def _tell_damage(connection: sqlite3.Connection, file: CheckFile, now: datetime) -> int:
    damaged = fact(connection, DAMAGED)
    targets = list(dict.fromkeys(name for check in file.checks.values() for name in check.tell))
    if not damaged or damaged.get("told") or not targets:
        return 0
    words = f"It is kept as {damaged['file']}. What is found now is told anew, so it may have been told before."
    outbox.put(connection, plain_document(DAMAGE_TITLE, words, outbox.new_id(), now), targets)
    set_fact(connection, DAMAGED, {**damaged, "told": True})
    return 1
