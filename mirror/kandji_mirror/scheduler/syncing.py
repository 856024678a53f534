"""What the process that holds the writer's lock does: read what is due, and what people ask for."""

import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from kandji_mirror.capabilities import open_state
from kandji_mirror.report import Report
from kandji_mirror.scheduler.desk import Batch, Desk
from kandji_mirror.scheduler.hour import Hour
from kandji_mirror.scheduler.lanes import Lane
from kandji_mirror.scheduler.mailbox import Letter, Mailbox
from kandji_mirror.scheduler.pauses import Pauses
from kandji_mirror.scheduler.runs import Runs
from kandji_mirror.scheduler.timer import Job
from kandji_mirror.store.store import Store
from kandji_mirror.sync.planner import SyncPlan, plan_sync
from kandji_mirror.sync.request import REFUSED, Refusals, SyncRequest
from kandji_schema.errors import ConfigurationError, Interrupted, MirrorError, StoreError
from kandji_schema.manifest import State
from kandji_schema.registry import resources
from kandji_schema.resource import Resource

log = logging.getLogger(__name__)

WISHES = "wishes"
"""The job that looks for what people ask for."""

ASKED_AT_ONCE = 3
"""Runs for people who wait that go on at a time."""

SAVED_SECONDS = 600.0
"""Sweeps may save up what they did not spend, for so long."""

ASKED = "asked"
"""What runs for people who wait are called in the log."""

_EVERYTHING = "(every table)"


@dataclass(frozen=True)
class Terms:
    """What background syncing may spend: requests an hour; and the times to live that replace the declared ones.

    ``mark`` tells what stands for the token of the moment: what was refused to another one is asked for again.
    """

    per_hour: int
    overrides: Mapping[str, timedelta] = field(default_factory=dict)
    mark: Callable[[], str] = str


class Syncing:
    """Keeps one store fresh. Its jobs are called by a timer, each in threads of its own."""

    def __init__(
        self,
        store: Store,
        runs: Runs,
        desk: Desk,
        hour: Hour,
        pauses: Pauses,
        terms: Terms,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``desk`` is where this process's own wishes are; others come by the home's mailbox."""
        self._store = store
        self._runs = runs
        self._desk = desk
        self._hour = hour
        self._pauses = pauses
        self._terms = terms
        self._mailbox = Mailbox(store.home)
        self._opened: set[Path] = set()
        self._clock = clock
        self._swept_at = clock() - SAVED_SECONDS

    def jobs(self, lanes: Iterable[Lane], look: float) -> tuple[Job, ...]:
        """What is to be called how often; every ``look`` seconds it is looked what people ask for."""
        turns = (Job(lane.name, lane.seconds, _turn(self, lane)) for lane in lanes)
        return (*turns, Job(WISHES, look, self.fulfil, at_once=ASKED_AT_ONCE))

    # -- what is due -------------------------------------------------------------------------------------------

    def turn(self, lane: Lane) -> None:
        """Read what is due in a lane, as one run. Never raises."""
        if self._pauses.resting(_EVERYTHING) or self._pauses.resting(_lane(lane.name)):
            return
        began, made = self._store.wall(), self.planned()
        sweep = self._saved_up(made) if lane.sweeps else 0
        wanted = self._due(lane, made) if sweep or not lane.sweeps else []
        if not wanted or (self._hour.tight and not self._hour.may_ask()):
            return
        names = self._desk.claim(wanted)
        if not names:
            return
        try:
            report = self._runs.run(lane.name, SyncRequest(names, sweep=sweep), ttls=made.ttls, background=True)
            if report:
                self._settle(lane.name, names, report)
        except Interrupted:
            return
        except Exception as error:
            self._troubled(lane.name, names, error, began)
        finally:
            self._swept_at = self._clock() if lane.sweeps else self._swept_at
            self._desk.release(names)

    def _saved_up(self, made: SyncPlan) -> int:
        """Requests that sweeps may spend now: what has come together since the last one."""
        seconds = min(self._clock() - self._swept_at, SAVED_SECONDS)
        return int(made.sweep_per_hour * seconds / 3600)

    def planned(self) -> SyncPlan:
        """How often every table is read as things are now, and what is left for sweeps."""
        return plan_sync(
            resources(),
            self._store.current.tables,
            per_hour=self._terms.per_hour,
            remaining_hour=self._hour.left,
            overrides=self._terms.overrides,
        )

    def _due(self, lane: Lane, made: SyncPlan) -> list[str]:
        tables = self._store.current.tables
        lanes_own = [r for r in resources().values() if lane.takes(r, tables[r.name])]
        names = [name for name in self._due_of(lanes_own, made) if not self._pauses.resting(name)]
        return [r.name for r in lanes_own if r.name in names and self._has_parent(r, names)]

    def _due_of(self, some: Sequence[Resource], made: SyncPlan) -> list[str]:
        """Those of some tables that are due and were not refused a short while ago."""
        now, tables = self._store.wall(), self._store.current.tables
        asked = any(tables[r.name].state in REFUSED for r in some)  # the token is not looked up for nothing
        with open_state(self._store.home, self._store.wall) as state:
            refusals = Refusals(state.capabilities, self._terms.mark() if asked else "")
            return [r.name for r in some if refusals.is_due(r, tables, now, made.ttls[r.name])]

    def _has_parent(self, resource: Resource, names: Iterable[str]) -> bool:
        """Whether the rows a table is asked for by are there, or come with the same run."""
        return (
            resource.parent is None
            or resource.parent in names
            or self._store.current.tables[resource.parent].file is not None
        )

    # -- what people ask for -----------------------------------------------------------------------------------

    def fulfil(self) -> None:
        """Take in the wishes of other processes and run what can begin. Never raises."""
        self._open_letters()
        while batch := self._desk.next_batch():
            self._run_batch(batch)

    def _open_letters(self) -> None:
        letters = self._mailbox.letters()
        self._opened &= {letter.path for letter in letters}
        for letter in letters:
            if letter.path not in self._opened:
                self._opened.add(letter.path)
                self._open(letter)

    def _open(self, letter: Letter) -> None:
        try:
            wish = letter.read()
        except MirrorError as error:
            letter.reply(error)
            return
        wish.done.add_done_callback(lambda done: _reply(letter, done.exception() or done.result()))
        self._desk.ask(wish)

    def _run_batch(self, batch: Batch) -> None:
        asked, began, made = batch.order, self._store.wall(), self.planned()
        order = replace(asked, names=self._still_due(asked.names, made)) if batch.due else asked
        try:
            report = self._runs.run(ASKED, order, ttls=made.ttls, background=False, progress=batch)
            if report and not order.devices:
                self._settle(ASKED, order.names, report)
            if report:
                batch.fulfil(report)
        except Exception as error:
            if not isinstance(error, Interrupted) and not order.devices:  # those say nothing about the tables
                self._troubled(ASKED, order.names, error, began)
            batch.fail(error)
        finally:
            self._desk.release(asked.names)

    def _still_due(self, names: Sequence[str], made: SyncPlan) -> tuple[str, ...]:
        """Those of the tables that are due now: others were read while the wish waited."""
        return tuple(self._due_of([resources()[name] for name in names], made))

    # -- how it went -------------------------------------------------------------------------------------------

    def _settle(self, lane: str, names: Collection[str], report: Report) -> None:
        """A table that failed rests a while, longer each time; its trouble is told once.

        In an outage the whole lane rests, and so does one whose run ended before all were asked for.
        """
        self._recovered(_EVERYTHING)
        if report.outage:
            if self._pauses.failed(_lane(lane)):
                log.warning("Syncing rests and will be tried again: %s", report.outage)
            return
        if len(report.outcomes) < len(names):
            self._pauses.failed(_lane(lane))
        else:
            self._recovered(_lane(lane))
        for outcome in report.outcomes:
            if outcome.state is not State.FAILED:
                if self._pauses.passed(outcome.table):
                    log.info("%s is synced again.", outcome.table)
            elif self._pauses.failed(outcome.table):
                log.warning("%s could not be synced and keeps its rows: %s", outcome.table, outcome.error)

    def _recovered(self, name: str) -> None:
        if self._pauses.passed(name):
            log.info("Syncing goes on.")

    def _troubled(self, lane: str, names: Iterable[str], error: Exception, began: datetime) -> None:
        """What ended a whole run, such as a full disk: the lane rests. A setting or the token: all of them rest."""
        first = self._pauses.failed(_lane(lane))
        if isinstance(error, ConfigurationError):
            first = self._pauses.failed(_EVERYTHING)
        if not isinstance(error, MirrorError):
            log.error("Syncing met with a bug and will be tried again.", exc_info=error)
        elif first:
            log.warning("Syncing rests and will be tried again: %s", error)
        reason = str(error) if isinstance(error, MirrorError) else f"Unforeseen ({type(error).__name__}); see the log."
        self._publish(names, reason, began)

    def _publish(self, names: Iterable[str], error: str, began: datetime) -> None:
        """Say in the manifest what stands against the tables that were not read since the run began."""
        now, tables = self._store.wall(), self._store.current.tables
        failed = {
            name: replace(tables[name], state=State.FAILED, attempted_at=now, error=error, requests=0)
            for name in names
            if (tables[name].attempted_at or began) <= began
        }
        try:
            if failed:
                self._store.publish(failed)
        except StoreError as trouble:
            log.warning("The status could not be written: %s", trouble)


def rests(pauses: Pauses, lanes: Iterable[Lane]) -> bool:
    """Whether everything, or a whole lane, is not synced: a rejected token, an outage, a full disk."""
    return any(map(pauses.failing, (_EVERYTHING, *(_lane(lane.name) for lane in lanes))))


def _lane(name: str) -> str:
    """The name of a lane among those that may rest, which are tables otherwise."""
    return f"(lane {name})"


def _reply(letter: Letter, done: Report | BaseException) -> None:
    """Answer a wish, unless this process stopped: then the next one that syncs finds it."""
    if not isinstance(done, Interrupted):
        letter.reply(done)


def _turn(syncing: Syncing, lane: Lane) -> Callable[[], None]:
    return lambda: syncing.turn(lane)
