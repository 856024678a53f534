"""The audit log: what is appended, what is read from it, and whether it is whole."""

import getpass
import json
import secrets
import socket
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kandji_mirror.audit.chain import START, Head, Verdict, check, compare, hash_of
from kandji_mirror.audit.database import reading, refuses_changes, rows, writing
from kandji_schema.actions.arguments import is_uuid
from kandji_schema.audit import COLUMNS, Event, Outcome
from kandji_schema.errors import AuditUnavailable
from kandji_schema.files import write_atomically
from kandji_schema.installation import mirror_version
from kandji_schema.text import one_line

HEAD_FILE = "audit.head"
_NAMES = tuple(column.name for column in COLUMNS)
_INSERT = f"INSERT INTO audit ({', '.join(_NAMES)}) VALUES ({', '.join('?' * len(_NAMES))})"

_LONGEST = 200
"""Characters of what a client says of itself."""

_LONGEST_PERSON = 600

Record = dict[str, Any]


@dataclass(frozen=True)
class Actor:
    """Who acts: user of the operating system or person who signed in, machine, and the program that asked."""

    os_user: str
    host: str
    client: str

    @property
    def words(self) -> str:
        """All of it in one line."""
        return f"{self.os_user} on {self.host}, through {self.client}"


def actor(client: str = "", person: str = "") -> Actor:
    """Return this user on this machine, or the ``person`` who signed in elsewhere and acts through this process.

    ``client`` names an AI client; without one it is this program.
    """
    return Actor(
        os_user=one_line(person)[:_LONGEST_PERSON] or _user(),
        host=socket.gethostname(),
        client=one_line(client)[:_LONGEST] or f"kandji-mirror {mirror_version()}",
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container without an entry for its user
        return "unknown"


@dataclass(frozen=True)
class Attempt:
    """The records of one attempt, oldest first."""

    action_id: str
    records: tuple[Record, ...]

    @property
    def intent(self) -> Record | None:
        """The record that was written before the request; None where nothing was to be sent."""
        return next((r for r in self.records if r["event"] == Event.INTENT), None)

    @property
    def outcome(self) -> str:
        """How it ended, as far as anybody saw. Without a record of an answer (a killed process) it is ``unknown``."""
        told = (Event.OUTCOME, Event.LOOKED)
        ended = [r["outcome"] for r in self.records if r["event"] in told and r["outcome"]]
        if ended:
            return str(ended[-1])
        return Outcome.UNKNOWN if self.intent else str(self.records[-1]["event"])


class AuditLog:
    """The log of one home. Every method opens the file anew; threads and processes may use it at once."""

    def __init__(
        self,
        home: Path,
        actor: Actor,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        anchor: Callable[[Head], str | None] | None = None,
    ) -> None:
        """``clock`` tells the time, aware UTC. ``anchor`` saves each new head elsewhere, and gives what failed."""
        self.actor = actor
        self._home = home
        self._clock = clock
        self._anchor = anchor

    def append(self, event: Event, **facts: Any) -> Record:
        """Write one record and bring it to the disk; gives it whole.

        ``facts`` are columns. :class:`AuditUnavailable` where that fails, or where the end of the log is missing.
        """
        record = self._written(event, facts)
        unsaved = self._anchor(Head(record["seq"], record["hash"])) if self._anchor else None
        if unsaved:
            with suppress(AuditUnavailable):  # the record itself is safe, and that is what was asked for
                self._written(Event.UNANCHORED, {"detail": unsaved})
        return record

    def _written(self, event: Event, facts: Mapping[str, Any]) -> Record:
        with writing(self._home) as connection:
            record = self._next(connection, event, facts)
            connection.execute(_INSERT, [record[name] for name in _NAMES])
        self._note(Head(record["seq"], record["hash"]))
        return record

    def records(self) -> list[Record]:
        """Read every record, oldest first."""
        with reading(self._home) as connection:
            return list(rows(connection)) if connection is not None else []

    def attempts(self) -> list[Attempt]:
        """Group the records by attempt, the oldest attempt first."""
        found: dict[str, list[Record]] = {}
        for record in self.records():
            found.setdefault(record["action_id"], []).append(record)
        return [Attempt(action_id, tuple(records)) for action_id, records in found.items()]

    def verify(self, heads: Sequence[Head] = ()) -> Verdict:
        """Check the whole log, then compare it with ``heads`` saved elsewhere; a file that cannot be read is red too.

        Without them it proves that the log is whole in itself. Who may write its files could have made it anew.
        """
        verdict = self._whole()
        if not (verdict.green and heads):
            return verdict
        return compare({record["seq"]: record["hash"] for record in self.records()}, heads)

    def _whole(self) -> Verdict:
        try:
            with reading(self._home) as connection:
                head = self._head()
                if connection is None:
                    return check((), head)
                damage = connection.execute("PRAGMA integrity_check").fetchone()[0]
                if damage != "ok":
                    return Verdict(0, f"The file is damaged: {damage}.")
                verdict = check(rows(connection), head)
                if verdict.green and not refuses_changes(connection):
                    return Verdict(verdict.records, "The file no longer refuses to change records: it was altered.")
                return verdict
        except AuditUnavailable as error:
            return Verdict(0, str(error))

    def _next(self, connection: sqlite3.Connection, event: Event, facts: Mapping[str, Any]) -> Record:
        newest = connection.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
        seq, before = newest or (0, START)
        self._refuse_cut(connection, seq)
        record = {
            **dict.fromkeys(_NAMES),
            "action_id": new_id(),
            **{name: _plain(value) for name, value in facts.items()},
            "seq": seq + 1,
            "recorded_at": moment(self._clock()),
            "event": str(event),
            "os_user": self.actor.os_user,
            "host": self.actor.host,
            "client": self.actor.client,
            "previous_hash": before,
        }
        record["hash"] = hash_of(record)
        return record

    def _refuse_cut(self, connection: sqlite3.Connection, newest: int) -> None:
        head = self._head()
        if head is None:
            return
        found = connection.execute("SELECT hash FROM audit WHERE seq = ?", [head.seq]).fetchone()
        if found != (head.hash,):
            raise AuditUnavailable(
                f"The audit log in {self._home} was altered: record {head.seq} is not the one that was written "
                f"({newest} are there). `kandji-mirror audit verify` tells more. Keep audit.sqlite and audit.head for "
                "whoever investigates and move them away; then a new log begins. Nothing was sent."
            )

    def _head(self) -> Head | None:
        """Read the note beside the log; None only where there is no file, not where one cannot be read."""
        try:
            noted = json.loads((self._home / HEAD_FILE).read_text(encoding="utf-8"))
            return Head(int(noted["seq"]), str(noted["hash"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise AuditUnavailable(
                f"{self._home / HEAD_FILE}, the note of the newest record, cannot be read."
            ) from error

    def _note(self, head: Head) -> None:
        """Move the note, only ever forward; an older one that stays proves less, but nothing wrong."""
        with suppress(OSError, AuditUnavailable):
            known = self._head()
            if known is not None and known.seq >= head.seq:
                return
            write_atomically(self._home / HEAD_FILE, json.dumps({"seq": head.seq, "hash": head.hash}).encode())


def new_id() -> str:
    """Make the name of a new attempt."""
    return secrets.token_hex(6)


def moment(at: datetime) -> str:
    """Write a time as the log holds it: UTC, sortable as text."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, Mapping):
        value = json.dumps(value, ensure_ascii=False, sort_keys=True)
    if isinstance(value, str):  # a member of an enum is one too, and bytes of a command line may be half characters
        return str(value).encode("utf-8", errors="replace").decode()
    return value


def attempts_of(log: AuditLog, reference: str, *, by_name: bool = True) -> Iterator[Attempt]:
    """Return attempts of an id, or those about a device by identifier or serial number, the newest first.

    ``by_name`` also finds them by the name of the device and by what was typed for one that was never found.
    """
    for attempt in reversed(log.attempts()):
        first = attempt.records[0]
        wanted = [attempt.action_id, first["serial_number"]]
        wanted += [first["device_id"], first["device_name"]] if by_name else []
        if reference in wanted or (is_uuid(reference) and reference.lower() == first["device_id"]):
            yield attempt
