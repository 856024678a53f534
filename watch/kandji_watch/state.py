"""What is remembered of checks: ``HOME/checks.sqlite``, one file of its owner's, that survives a kill at any point.

Findings are what was seen and is told or still to be told; tellings are texts, each written before it is sent, under an
identifier; deliveries are what became of a telling at each target. A file of an earlier version is brought up to date
when it is opened. A damaged one is set aside under another name and said so: what was told before is then not known.
"""

import json
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from kandji_schema.errors import StoreError, StoreFull
from kandji_schema.events import about
from kandji_schema.files import make_file, make_folder
from kandji_schema.utc import in_seconds

log = logging.getLogger(__name__)

FILE = "checks.sqlite"
BUSY_SECONDS = 30.0

MIGRATIONS = (
    """
    CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
    CREATE TABLE checks (
        name TEXT PRIMARY KEY, basis TEXT, asked_at TEXT, answered_at TEXT,
        as_of TEXT NOT NULL DEFAULT '{}', memory TEXT NOT NULL DEFAULT '{}', notes TEXT NOT NULL DEFAULT '[]'
    );
    CREATE TABLE findings (
        id INTEGER PRIMARY KEY, check_name TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, row TEXT NOT NULL,
        began_at TEXT NOT NULL, ended_at TEXT, told_in TEXT, end_told_in TEXT
    );
    CREATE UNIQUE INDEX open_findings ON findings (check_name, kind, key) WHERE ended_at IS NULL;
    CREATE INDEX untold_findings ON findings (check_name) WHERE told_in IS NULL OR end_told_in IS NULL;
    CREATE TABLE tellings (
        id TEXT PRIMARY KEY, check_name TEXT NOT NULL, made_at TEXT NOT NULL, title TEXT NOT NULL,
        document TEXT NOT NULL
    );
    CREATE INDEX tellings_of ON tellings (check_name);
    CREATE TABLE deliveries (
        telling TEXT NOT NULL REFERENCES tellings (id), target TEXT NOT NULL, state TEXT NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0, unsure INTEGER NOT NULL DEFAULT 0, waited REAL NOT NULL DEFAULT 0,
        tried_at TEXT, next_at TEXT, ended_at TEXT, error TEXT, PRIMARY KEY (telling, target)
    );
    CREATE INDEX waiting_deliveries ON deliveries (target) WHERE state IN ('waiting', 'sending');
    """,
)
"""What makes each version of the file from the one before it; ``user_version`` is how many were carried out."""

DAMAGED = "damaged"
"""Name of the fact that an earlier file was set aside: when, and under which name."""


class State:
    """The file of one home. Each use opens it anew: any thread may, and a kill leaves nothing half-written."""

    def __init__(self, home: Path) -> None:
        """``home`` is the data directory; the file is made when it is opened for writing first."""
        self.path = home / FILE

    def prepare(self, now: datetime) -> str | None:
        """Make the file, bring it up to date, and look whether it is whole; for whoever holds the lock.

        Returns what has to be said where it was damaged and set aside. :class:`StoreError` where it cannot be used.
        """
        with _explained(self.path):
            make_folder(self.path.parent)
            make_file(self.path)
            try:
                self._migrate(whole=True)
                return None
            except sqlite3.DatabaseError as error:
                if not _is_damage(error):
                    raise
            aside = self._set_aside(now)
            make_file(self.path)
            self._migrate(whole=False)
        words = (
            f"What was remembered of checks was damaged and is kept as {aside.name}: what is found now is told anew, "
            "so it may have been told before."
        )
        with self.writing() as connection:
            set_fact(connection, DAMAGED, {"at": in_seconds(now), "file": aside.name})
        log.warning("%s", words, extra=about("checks.damaged"))
        return words

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Open a connection that holds the write lock; what is done is on the disk when the block ends well."""
        with _explained(self.path), closing(self._connect()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection | None]:
        """Open a connection that only reads; None where there is no file yet, or none of this version."""
        if not self.path.exists():
            yield None
            return
        uri = f"{self.path.absolute().as_uri()}?mode=ro"
        with _explained(self.path), closing(sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS)) as connection:
            connection.row_factory = sqlite3.Row
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            yield connection if version == len(MIGRATIONS) else None

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
        except sqlite3.Error:
            connection.close()
            raise
        connection.row_factory = sqlite3.Row
        return connection

    def _migrate(self, *, whole: bool) -> None:
        with closing(self._connect()) as connection:
            if whole and (found := connection.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
                raise _Damaged(found)
            connection.execute("BEGIN IMMEDIATE")
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > len(MIGRATIONS):
                raise StoreError(f"{self.path} was written by a newer version of this program. Use that one.")
            for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
                for statement in filter(None, map(str.strip, script.split(";"))):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version={number}")
            connection.execute("COMMIT")

    def _set_aside(self, now: datetime) -> Path:
        """Move the file away with what SQLite keeps beside it."""
        aside = self.path.with_name(f"{FILE}.damaged-{now:%Y%m%dT%H%M%SZ}")
        number = 1
        while aside.exists():
            number += 1
            aside = self.path.with_name(f"{FILE}.damaged-{now:%Y%m%dT%H%M%SZ}-{number}")
        for ending in ("-wal", "-shm", ""):
            beside = self.path.with_name(f"{FILE}{ending}")
            with suppress(FileNotFoundError):
                beside.rename(aside.with_name(f"{aside.name}{ending}"))
        return aside


class _Damaged(sqlite3.DatabaseError):
    """The file opens, and parts of it are not what they should be."""


def fact(connection: sqlite3.Connection, name: str) -> Any:
    """Return one of the facts of the file; None where it has none of that name."""
    found = connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
    return json.loads(found[0]) if found else None


def set_fact(connection: sqlite3.Connection, name: str, value: object) -> None:
    """Write one of the facts of the file down."""
    connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, json.dumps(value)))


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    """Tell damage from a full disk, a missing right, or another process that writes."""
    codes = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
    return isinstance(error, _Damaged) or (getattr(error, "sqlite_errorcode", 0) & 0xFF) in codes


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        full = isinstance(error, OSError) or getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL
        kind = StoreFull if full else StoreError
        raise kind(
            f"{path}, what is remembered of checks, cannot be used: {getattr(error, 'strerror', None) or error}. Check "
            "the space left and your right to write there. Nothing was told."
        ) from error
