"""What was found: compared with what was found before, so that each thing begins once and ends once.

A finding has a ``kind``: ``row`` of what a check finds, ``trouble`` where the check itself cannot be answered. It is
told by a telling, whose identifier is in ``told_in``; what ended is told by one in ``end_told_in``.
"""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kandji_queries.results.values import compact
from kandji_schema.utc import in_seconds
from kandji_watch.conditions import Rows
from kandji_watch.definition import Check
from kandji_watch.looking import Looked

BASELINE = "(there at the first look)"
NOT_TOLD = "(not told)"
"""In place of a telling: of what was there at the first look, and of what nobody is to be told."""

TROUBLE = "trouble"
ROW = "row"

AGAIN = timedelta(minutes=10)
"""A check without an answer is asked again so soon."""

NEW = timedelta(days=1)
"""So long something is new."""

KEPT = timedelta(days=400)
"""How long it is kept what ended."""

MOST_KEPT = 100_000
"""Findings that ended, of all checks together."""


@dataclass(frozen=True)
class Finding:
    """One thing that was found. Moments are aware UTC."""

    id: int
    kind: str
    key: str
    row: Mapping[str, Any]
    began_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class Noted:
    """What one look changed. ``baseline`` is how many things were there at a first look that is not told one by one.

    ``anew``: the keys could not be compared with those before, so that all is found anew.
    """

    began: int = 0
    ended: int = 0
    baseline: int | None = None
    anew: bool = False


def asked_at(connection: sqlite3.Connection, name: str) -> datetime | None:
    """Return when a check was asked last, aware UTC."""
    found = connection.execute("SELECT asked_at FROM checks WHERE name = ?", (name,)).fetchone()
    return datetime.fromisoformat(found[0]) if found and found[0] else None


def due_at(connection: sqlite3.Connection, check: Check, now: datetime) -> datetime:
    """Return when a check is to be asked, aware UTC; one that had no answer is asked again before its time."""
    asked = asked_at(connection, check.name)
    upcoming = check.schedule.next(asked, now)
    return min(upcoming, asked + AGAIN) if asked and trouble_of(connection, check.name) else upcoming


def trouble_of(connection: sqlite3.Connection, name: str) -> str:
    """Return why a check has no answer now; empty where it has one."""
    asked = "SELECT row FROM findings WHERE check_name = ? AND kind = ? AND ended_at IS NULL"
    found = connection.execute(asked, (name, TROUBLE)).fetchone()
    return str(json.loads(found["row"])["trouble"]) if found else ""


def memory_of(connection: sqlite3.Connection, name: str) -> Mapping[str, Any]:
    """Return what the last look at a check left for the next one."""
    found = connection.execute("SELECT memory FROM checks WHERE name = ?", (name,)).fetchone()
    memory: Mapping[str, Any] = json.loads(found[0]) if found else {}
    return memory


def note_answer(
    connection: sqlite3.Connection, name: str, looked: Looked, now: datetime, *, baseline: bool, basis: str
) -> Noted:
    """Write down what a look found. ``baseline``: the first look only counts; ``basis`` is what keys are made of."""
    before = connection.execute("SELECT basis FROM checks WHERE name = ?", (name,)).fetchone()
    first = before is None or before["basis"] is None
    anew = not first and before["basis"] != basis
    if anew:
        _forget(connection, name, now)
    _end(connection, name, TROUBLE, frozenset(), now)
    counted = baseline and (first or anew)
    began = _begin(connection, name, ROW, looked.rows, now, BASELINE if counted else None)
    ended = _end(connection, name, ROW, looked.rows.keys(), now) if looked.ends else 0
    _set(
        connection,
        name,
        asked_at=in_seconds(now),
        answered_at=in_seconds(now),
        basis=basis,
        as_of=json.dumps(looked.as_of),
        notes=json.dumps(list(looked.notes)),
        memory=json.dumps(looked.memory),
    )
    return Noted(0 if counted else began, ended, began if counted else None, anew)


def note_trouble(connection: sqlite3.Connection, name: str, words: str, now: datetime) -> None:
    """Write down that a check could not be answered; what it found before neither ends nor is told again."""
    _begin(connection, name, TROUBLE, {"": {"trouble": words}}, now, None)
    _set(connection, name, asked_at=in_seconds(now))


def forget_all(connection: sqlite3.Connection, now: datetime) -> None:
    """Forget what every check found, and its texts, since names may be in them; each is asked anew and says so."""
    for (name,) in connection.execute("SELECT name FROM checks").fetchall():
        _forget(connection, name, now)
        connection.execute("UPDATE checks SET basis = '', asked_at = NULL, as_of = '{}' WHERE name = ?", (name,))


def forget_gone(connection: sqlite3.Connection, names: frozenset[str]) -> None:
    """Forget findings of checks that are no more, so that one that comes back begins anew."""
    for (name,) in connection.execute("SELECT name FROM checks").fetchall():
        if name not in names:
            connection.execute("DELETE FROM findings WHERE check_name = ? AND ended_at IS NULL", (name,))
            connection.execute("DELETE FROM checks WHERE name = ?", (name,))


def untold(connection: sqlite3.Connection, name: str) -> tuple[list[Finding], list[Finding]]:
    """Return what is to be told of a check: what began, also where it has ended since, and what ended."""
    asked = "SELECT * FROM findings WHERE check_name = ? AND {} ORDER BY id"
    began = connection.execute(asked.format("told_in IS NULL"), (name,)).fetchall()
    ended = connection.execute(
        asked.format("told_in IS NOT NULL AND ended_at IS NOT NULL AND end_told_in IS NULL"), (name,)
    ).fetchall()
    return [*map(_finding, began)], [*map(_finding, ended)]


def note_told(connection: sqlite3.Connection, began: list[Finding], ended: list[Finding], telling: str) -> None:
    """Write down in which telling they are told; of what began and has ended, both."""
    for finding in began:
        both = telling if finding.ended_at else None
        connection.execute("UPDATE findings SET told_in = ?, end_told_in = ? WHERE id = ?", (telling, both, finding.id))
    for finding in ended:
        connection.execute("UPDATE findings SET end_told_in = ? WHERE id = ?", (telling, finding.id))


def open_count(connection: sqlite3.Connection, name: str) -> int:
    """Return how many things are found now."""
    asked = "SELECT count(*) FROM findings WHERE check_name = ? AND kind = ? AND ended_at IS NULL"
    return int(connection.execute(asked, (name, ROW)).fetchone()[0])


def found_now(connection: sqlite3.Connection, check: Check, now: datetime) -> int:
    """Return how many things are wrong now: of a check for new ones, those of the last day that are still there."""
    if not (isinstance(check.condition, Rows) and check.condition.baseline):
        return open_count(connection, check.name)
    asked = (
        "SELECT count(*) FROM findings WHERE check_name = ? AND kind = ? AND ended_at IS NULL AND began_at >= ? "
        "AND told_in IS NOT ?"
    )
    since = in_seconds(now - NEW)
    return int(connection.execute(asked, (check.name, ROW, since, BASELINE)).fetchone()[0])


def trim(connection: sqlite3.Connection, now: datetime) -> None:
    """Forget what ended long ago and was told."""
    told = "ended_at IS NOT NULL AND told_in IS NOT NULL AND end_told_in IS NOT NULL"
    connection.execute(f"DELETE FROM findings WHERE {told} AND ended_at < ?", (in_seconds(now - KEPT),))
    connection.execute(f"DELETE FROM findings WHERE {told} AND id <= (SELECT max(id) FROM findings) - ?", (MOST_KEPT,))


def _begin(
    connection: sqlite3.Connection, name: str, kind: str, rows: Mapping[str, Any], now: datetime, told: str | None
) -> int:
    asked = "SELECT key FROM findings WHERE check_name = ? AND kind = ? AND ended_at IS NULL"
    there = {key for (key,) in connection.execute(asked, (name, kind))}
    new = [(name, kind, key, compact(row), in_seconds(now), told) for key, row in rows.items() if key not in there]
    connection.executemany(
        "INSERT INTO findings (check_name, kind, key, row, began_at, told_in) VALUES (?, ?, ?, ?, ?, ?)", new
    )
    return len(new)


def _end(connection: sqlite3.Connection, name: str, kind: str, left: Any, now: datetime) -> int:
    asked = "SELECT id, key FROM findings WHERE check_name = ? AND kind = ? AND ended_at IS NULL"
    gone = [row["id"] for row in connection.execute(asked, (name, kind)).fetchall() if row["key"] not in left]
    connection.executemany(
        "UPDATE findings SET ended_at = ?, end_told_in = CASE told_in WHEN ? THEN ? END WHERE id = ?",
        [(in_seconds(now), BASELINE, NOT_TOLD, each) for each in gone],
    )
    return len(gone)


def _forget(connection: sqlite3.Connection, name: str, now: datetime) -> None:
    """Forget what cannot be compared any more, its texts too: names may be in them that are not to be seen now."""
    connection.execute("DELETE FROM findings WHERE check_name = ?", (name,))
    connection.execute(
        "UPDATE deliveries SET state = 'dropped', ended_at = ?, error = 'the check was changed before it was sent' "
        "WHERE state = 'waiting' AND telling IN (SELECT id FROM tellings WHERE check_name = ?)",
        (in_seconds(now), name),
    )
    connection.execute("UPDATE tellings SET document = '{}' WHERE check_name = ?", (name,))


def _set(connection: sqlite3.Connection, name: str, **facts: object) -> None:
    connection.execute("INSERT OR IGNORE INTO checks (name) VALUES (?)", (name,))
    named = ", ".join(f"{fact} = ?" for fact in facts)
    connection.execute(f"UPDATE checks SET {named} WHERE name = ?", (*facts.values(), name))


def _finding(row: sqlite3.Row) -> Finding:
    return Finding(
        row["id"],
        row["kind"],
        row["key"],
        json.loads(row["row"]),
        datetime.fromisoformat(row["began_at"]),
        datetime.fromisoformat(row["ended_at"]) if row["ended_at"] else None,
    )
