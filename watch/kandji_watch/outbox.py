"""The outbox: texts on their way. Each is written before it is sent, and what became of it after that.

That an attempt begins is on the disk before it does. Whoever is killed between the target's answer and the note of it
leaves a delivery that is ``sending``: it is sent again under the same identifier, and says that it may have been told
before. So a text is delivered at least once, and never twice in silence. It cannot be exactly once: a target that has
no memory of identifiers cannot be asked.
"""

import json
import random
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from kandji_schema.durations import in_future
from kandji_schema.utc import in_seconds
from kandji_watch.attempts import Attempt
from kandji_watch.state import fact, set_fact
from kandji_watch.texts import Document, headline

WAITING, SENDING, DONE, REFUSED, GIVEN_UP, DROPPED = "waiting", "sending", "done", "refused", "given up", "dropped"
FAILED = (REFUSED, GIVEN_UP)
"""How a delivery ends that never arrived."""

FIRST, LONGEST = timedelta(minutes=1), timedelta(hours=1)
"""The first pause after a failure, which doubles with every further one, and the longest."""

PATIENCE = timedelta(days=3)
LEAST_ATTEMPTS = 5
"""What fails for so long, and so often, is given up."""

LONGEST_STEP = timedelta(days=1)
"""What counts of one pause towards :data:`PATIENCE` at most: a clock that jumps ahead gives nothing up."""

KEPT = timedelta(days=90)
"""How long texts are kept that are dealt with."""


@dataclass(frozen=True)
class Delivery:
    """One text for one target. Moments are aware UTC."""

    telling: str
    check: str
    title: str
    target: str
    state: str
    attempts: int
    unsure: bool
    made_at: datetime
    tried_at: datetime | None
    next_at: datetime | None
    ended_at: datetime | None
    error: str
    document: Document


def new_id() -> str:
    """Return an identifier of a text that people can read to each other."""
    return secrets.token_hex(6)


def put(connection: sqlite3.Connection, document: Document, targets: Iterable[str], *, unsure: bool = False) -> None:
    """Write a text down for some targets. ``unsure``: it may have been told before, by a file that was lost."""
    check, made_at = document["check"], document["made_at"]
    connection.execute(
        "INSERT INTO tellings VALUES (?, ?, ?, ?, ?)",
        (document["id"], check, made_at, headline(document), json.dumps(document, ensure_ascii=False)),
    )
    connection.executemany(
        "INSERT INTO deliveries (telling, target, state, unsure) VALUES (?, ?, ?, ?)",
        [(document["id"], target, WAITING, unsure) for target in targets],
    )


def recover(connection: sqlite3.Connection) -> int:
    """Make deliveries wait again that a killed process had begun; for whoever holds the lock. Returns how many."""
    found = connection.execute(
        "UPDATE deliveries SET state = ?, unsure = 1, next_at = NULL WHERE state = ?", (WAITING, SENDING)
    )
    return found.rowcount


def drop_orphans(connection: sqlite3.Connection, targets: Iterable[str], now: datetime) -> None:
    """End deliveries to targets that are no more."""
    names = [*targets]
    marks = ", ".join("?" * len(names))
    connection.execute(
        f"UPDATE deliveries SET state = ?, ended_at = ?, error = 'there is no such target any more' "
        f"WHERE state = ? AND target NOT IN ({marks})",
        (DROPPED, in_seconds(now), WAITING, *names),
    )


def due(connection: sqlite3.Connection, now: datetime) -> dict[str, list[Delivery]]:
    """Return by target what is to be sent now: what was tried least, then the oldest, first.

    A target that failed rests with all that waits for it; a text that it does not take lets others pass.
    """
    found: dict[str, list[Delivery]] = {}
    for each in waiting(connection):
        found.setdefault(each.target, []).append(each)
    rested = {
        target: all(each.next_at is None or each.next_at <= now for each in listed) for target, listed in found.items()
    }
    return {
        target: sorted(listed, key=lambda each: each.attempts) for target, listed in found.items() if rested[target]
    }


def waiting(connection: sqlite3.Connection) -> list[Delivery]:
    """Return everything that is on its way, the oldest first."""
    return _deliveries(connection, "state IN ('waiting', 'sending')", ())


def ended_badly(connection: sqlite3.Connection) -> list[Delivery]:
    """Return what never arrived and is not tried any more, the oldest first."""
    return _deliveries(connection, "state IN (?, ?)", FAILED)


def deliveries_of(connection: sqlite3.Connection, check: str | None) -> list[Delivery]:
    """Return every delivery that is kept, of one check or of all, the oldest first."""
    return _deliveries(connection, "? IS NULL OR check_name = ?", (check, check))


def begin(connection: sqlite3.Connection, delivery: Delivery, now: datetime) -> bool:
    """Note that an attempt begins; False where it is not waiting any more."""
    waited = "min(max(0, coalesce(julianday(?) - julianday(tried_at), 0) * 86400), ?)"
    found = connection.execute(
        f"UPDATE deliveries SET state = ?, attempts = attempts + 1, waited = waited + {waited}, tried_at = ? "
        "WHERE telling = ? AND target = ? AND state = ?",
        (
            *(SENDING, in_seconds(now), LONGEST_STEP.total_seconds(), in_seconds(now)),
            *(delivery.telling, delivery.target, WAITING),
        ),
    )
    return found.rowcount == 1


def end(
    connection: sqlite3.Connection,
    delivery: Delivery,
    ended: Attempt,
    now: datetime,
    jitter: Callable[[], float] = random.random,
) -> str:
    """Note what became of an attempt and return the state of the delivery. ``jitter`` answers 0.0 to 1.0."""
    row = connection.execute(
        "SELECT attempts, waited FROM deliveries WHERE telling = ? AND target = ?", (delivery.telling, delivery.target)
    ).fetchone()
    state = _state_after(ended, row)
    over = state != WAITING
    failures = _note_failures(connection, delivery.target, again=not over)
    connection.execute(
        "UPDATE deliveries SET state = ?, unsure = unsure OR ?, next_at = ?, ended_at = ?, error = ? "
        "WHERE telling = ? AND target = ?",
        (
            *(state, ended.unsure, None if over else in_seconds(now + pause(failures, ended.wait, jitter))),
            *(in_seconds(now) if over else None, ended.words or None, delivery.telling, delivery.target),
        ),
    )
    return state


def pause(failures: int, asked: float | None, jitter: Callable[[], float]) -> timedelta:
    """Return how long a target rests after so many failures in a row: longer each time, or as long as it asked for."""
    if asked is not None:
        return timedelta(seconds=asked + jitter())
    return min(LONGEST, FIRST * 2.0 ** min(max(failures - 1, 0), 16)) * (1 + jitter() / 4)


def _note_failures(connection: sqlite3.Connection, target: str, *, again: bool) -> int:
    """Count how often a target failed in a row; one that answers lets all go on that waits for it."""
    name = f"failures of {target}"
    failures = (fact(connection, name) or 0) + 1 if again else 0
    set_fact(connection, name, failures)
    if not again:
        wake(connection, target)
    return int(failures)


def wake(connection: sqlite3.Connection, target: str) -> None:
    """Let all go on that waits for a target: it answers."""
    connection.execute("UPDATE deliveries SET next_at = NULL WHERE target = ? AND state = ?", (target, WAITING))


def trim(connection: sqlite3.Connection, now: datetime) -> None:
    """Forget texts that were dealt with long ago; those that never arrived stay as long."""
    old = (
        "SELECT id FROM tellings WHERE made_at < ? AND id NOT IN "
        "(SELECT telling FROM deliveries WHERE state IN ('waiting', 'sending'))"
    )
    gone = [row[0] for row in connection.execute(old, (in_seconds(now - KEPT),)).fetchall()]
    connection.executemany("DELETE FROM deliveries WHERE telling = ?", [(each,) for each in gone])
    connection.executemany("DELETE FROM tellings WHERE id = ?", [(each,) for each in gone])


def mend_clock(connection: sqlite3.Connection, now: datetime) -> None:
    """Let nothing wait that was tried in the future, by a clock that was ahead: nobody knows how long it waited."""
    tried = connection.execute(
        "SELECT telling, target, tried_at FROM deliveries WHERE state = ? AND tried_at IS NOT NULL", (WAITING,)
    ).fetchall()
    for row in tried:
        if in_future(datetime.fromisoformat(row["tried_at"]), now):
            connection.execute(
                "UPDATE deliveries SET next_at = NULL WHERE telling = ? AND target = ?", (row["telling"], row["target"])
            )


def _state_after(ended: Attempt, row: Mapping[str, float]) -> str:
    if ended.done:
        return DONE
    if ended.final:
        return REFUSED
    tired = row["waited"] >= PATIENCE.total_seconds() and row["attempts"] >= LEAST_ATTEMPTS
    return GIVEN_UP if tired else WAITING


def _deliveries(connection: sqlite3.Connection, where: str, values: Iterable[object]) -> list[Delivery]:
    found = connection.execute(
        "SELECT d.*, t.check_name, t.title, t.made_at, t.document FROM deliveries AS d JOIN tellings AS t ON t.id = "
        f"d.telling WHERE {where} ORDER BY t.rowid, d.target",
        tuple(values),
    )
    return [
        Delivery(
            telling=row["telling"],
            check=row["check_name"],
            title=row["title"],
            target=row["target"],
            state=row["state"],
            attempts=row["attempts"],
            unsure=bool(row["unsure"]),
            made_at=datetime.fromisoformat(row["made_at"]),
            tried_at=datetime.fromisoformat(row["tried_at"]) if row["tried_at"] else None,
            next_at=datetime.fromisoformat(row["next_at"]) if row["next_at"] else None,
            ended_at=datetime.fromisoformat(row["ended_at"]) if row["ended_at"] else None,
            error=row["error"] or "",
            document=json.loads(row["document"]),
        )
        for row in found
    ]
