"""Asking the process that syncs, from one that does not."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from kandji_mirror.scheduler.desk import Wish
from kandji_mirror.scheduler.mailbox import Mailbox
from kandji_mirror.sync.outcome import Report, outcome_of
from kandji_schema.errors import AlreadySyncing, NothingMirrored, StoreDamaged
from kandji_schema.manifest import Manifest, TableState, newest_whole
from kandji_schema.registry import resource, resources

PATIENCE = 1_800.0
"""Seconds an answer may take: exports alone may take 15 minutes."""

TRIES_EVERY = 5.0
"""Seconds between two attempts to do it oneself, in case that the process that syncs went away."""

POLL_SECONDS = 0.2


def ask(
    home: Path,
    names: Sequence[str],
    *,
    whole: bool = False,
    sweep: int | None = None,
    patience: float = PATIENCE,
    instead: Callable[[], Report] | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> Report:
    """Have the syncing process read the named tables now, and wait until it has.

    ``instead`` is tried every few seconds: while it raises :class:`AlreadySyncing` there is another process, otherwise
    its report is the answer. Raises :class:`UnknownName`, what the other process met with, and :class:`AlreadySyncing`
    after ``patience`` seconds.
    """
    asked_at, began, before = datetime.now(UTC), clock(), _tables(home)
    wish = Wish(tuple(resource(name).name for name in names), whole=whole, sweep=sweep)
    with Mailbox(home).put(wish) as letter:
        tried = began
        while clock() - began < patience:
            if letter.answered():
                return _report(home, wish.names, before, asked_at, clock() - began)
            if instead and clock() - tried >= TRIES_EVERY:
                tried = clock()
                try:
                    return instead()
                except AlreadySyncing:
                    pass
            sleep(POLL_SECONDS)
    raise AlreadySyncing(
        f"The process that syncs this mirror has not answered within {patience:g} s. `kandji-mirror status` tells how "
        "old every table is."
    )


def sync_or_ask(
    home: Path, names: Sequence[str], attempt: Callable[[], Report], *, whole: bool = False, sweep: int | None = None
) -> Report:
    """The report of ``attempt``, a sync by this process; where another one holds the lock, that one is asked."""
    try:
        return attempt()
    except AlreadySyncing:
        return ask(home, names, whole=whole, sweep=sweep, instead=attempt)


def _tables(home: Path) -> dict[str, TableState]:
    manifest = _manifest(home)
    return dict(manifest.tables) if manifest else {}


def _manifest(home: Path) -> Manifest | None:
    try:
        return newest_whole(home)[0]
    except (NothingMirrored, StoreDamaged):
        return None


def _report(
    home: Path, names: Sequence[str], before: dict[str, TableState], asked_at: datetime, seconds: float
) -> Report:
    """What the manifest says of the tables now."""
    manifest = _manifest(home)
    states = [manifest.tables[name] for name in names if manifest and name in manifest.tables]
    return Report(
        started_at=asked_at,
        seconds=round(seconds, 3),
        outcomes=tuple(outcome_of(s, before.get(s.name, s), 0.0) for s in states),
        fresh=tuple(name for name in resources() if name not in names),
        requests=sum(s.requests for s in states),
        remaining_hour=None,
        generation=manifest.generation if manifest else None,
    )
