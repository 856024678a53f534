"""What checks found and told, as events: the newest first."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from kandji_schema.errors import UnknownName
from kandji_schema.utc import in_seconds
from kandji_watch import outbox
from kandji_watch.definition import CheckFile
from kandji_watch.findings import BASELINE, ROW
from kandji_watch.state import State
from kandji_watch.texts import cut, row_label


@dataclass(frozen=True)
class Event:
    """One event: ``event`` is begun, ended, or the state of a delivery. ``at`` is aware UTC."""

    at: datetime
    check: str
    event: str
    what: str
    detail: str


def history(home: Path, file: CheckFile, check: str | None) -> list[Event]:
    """Return what is kept of one check or of all; :class:`UnknownName` for a check of which nothing is known."""
    with State(home).reading() as connection:
        events = [] if connection is None else [*_findings(connection, file, check), *_deliveries(connection, check)]
    if check is not None and check not in file.names and not events:
        raise UnknownName("check", check, file.names)
    return sorted(events, key=lambda event: event.at, reverse=True)


def _findings(connection: sqlite3.Connection, file: CheckFile, check: str | None) -> Iterator[Event]:
    asked = "SELECT * FROM findings WHERE ? IS NULL OR check_name = ? ORDER BY id DESC"
    for row in connection.execute(asked, (check, check)):
        what = _what(file, row["check_name"], row["kind"], json.loads(row["row"]))
        told = "at the first look" if row["told_in"] == BASELINE else "" if row["told_in"] else "not told yet"
        if row["ended_at"]:
            yield Event(datetime.fromisoformat(row["ended_at"]), row["check_name"], "ended", what, "")
        yield Event(datetime.fromisoformat(row["began_at"]), row["check_name"], "began", what, told)


def _what(file: CheckFile, name: str, kind: str, row: dict[str, Any]) -> str:
    if kind != ROW:
        return f"no answer: {row['trouble']}"
    if name in file.checks:
        return row_label(file.checks[name], row)
    return cut(", ".join(str(value) for value in row.values() if value is not None), 160)


def _deliveries(connection: sqlite3.Connection, check: str | None) -> Iterator[Event]:
    for each in reversed(outbox.deliveries_of(connection, check)):
        at = each.ended_at or each.tried_at or each.made_at
        sure = " (may have been told before)" if each.unsure else ""
        later = f", again at {in_seconds(each.next_at)}" if each.next_at else ""
        words = f"{each.telling} to {each.target}{sure}{later}"
        yield Event(
            at, each.check, f"told: {each.state}", each.title, f"{words}: {each.error}" if each.error else words
        )
