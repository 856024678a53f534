"""Confirmations that are still pending: one token each, good once, for a few minutes, for exactly one preview.

A token is kept as a hash; what it confirms is kept encrypted with the token itself, so the file holds no PIN that
somebody could read, and nobody can make the token fit another preview. Another process may ask for the confirmation.
"""

import json
import secrets
import sqlite3
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from kandji_schema.durations import AHEAD
from kandji_schema.errors import AuditUnavailable, NotConfirmed
from kandji_schema.files import make_file

FILE = "confirmations.sqlite"
GOOD_FOR = timedelta(minutes=5)
_KEPT_FOR = timedelta(days=1)  # so that a late token is told from a wrong one
_DDL = (
    "CREATE TABLE IF NOT EXISTS confirmations (token_hash TEXT PRIMARY KEY, action_id TEXT NOT NULL, "
    "expires_at REAL NOT NULL, sealed BLOB NOT NULL, used_at REAL)"
)


@dataclass(frozen=True)
class Confirmation:
    """That one preview is confirmed. ``by`` is how it was given, as the audit log has it."""

    by: str
    binding: tuple[str, ...]


@dataclass(frozen=True)
class PendingConfirmation:
    """What a token is to confirm, as it was asked for: enough to make the same preview again."""

    action_id: str
    action: str
    reference: str
    values: Mapping[str, Any]
    reason: str
    binding: tuple[str, ...]


class Expired(NotConfirmed):
    """The token was good once, but its time is over."""


def is_over(until: datetime, now: datetime) -> bool:
    """Tell whether what is good ``until`` then is not any more: also what a clock that was ahead made longer."""
    return until <= now or until - GOOD_FOR - now > AHEAD


class PendingConfirmations:
    """The pending confirmations of one home, for any number of processes."""

    def __init__(self, home: Path, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """``clock`` tells the time, aware UTC."""
        self._path = home / FILE
        self._clock = clock

    def add(self, pending: PendingConfirmation) -> str:
        """Keep it, and return its token."""
        token = secrets.token_hex(20)
        sealed = _box(token).encrypt(json.dumps(vars(pending)).encode())
        now = self._clock()
        with self._writing() as connection:
            connection.execute(
                "DELETE FROM confirmations WHERE expires_at NOT BETWEEN ? AND ?",
                [(now - _KEPT_FOR).timestamp(), (now + _KEPT_FOR).timestamp()],
            )
            connection.execute(
                "INSERT INTO confirmations VALUES (?, ?, ?, ?, NULL)",
                [_hash(token), pending.action_id, (now + GOOD_FOR).timestamp(), sealed],
            )
        return token

    def find(self, token: str) -> PendingConfirmation:
        """Return what the token is to confirm; :class:`NotConfirmed` where it is not good (any more)."""
        with self._writing() as connection:
            return self._good(connection, token)

    def action_id(self, token: str) -> str | None:
        """Return the name of the preview that the token was made for, good or not; None for one not made here."""
        with self._writing() as connection:
            query = "SELECT action_id FROM confirmations WHERE token_hash = ?"
            found = connection.execute(query, [_hash(token)]).fetchone()
        return str(found[0]) if found else None

    def use(self, token: str) -> PendingConfirmation:
        """Do as :meth:`find`, and use the token up: of any number of processes at once one gets it."""
        with self._writing() as connection:
            pending = self._good(connection, token)
            connection.execute(
                "UPDATE confirmations SET used_at = ?, sealed = '' WHERE token_hash = ?",
                [self._clock().timestamp(), _hash(token)],
            )
            return pending

    def _good(self, connection: sqlite3.Connection, token: str) -> PendingConfirmation:
        found = connection.execute(
            "SELECT expires_at, used_at, sealed FROM confirmations WHERE token_hash = ?", [_hash(token)]
        ).fetchone()
        if found is None:
            raise NotConfirmed("This token was never given out here, or it was altered. Nothing was sent.")
        expires_at, used_at, sealed = found
        if used_at is not None:
            raise NotConfirmed("This token was used already; each is good for one action. Nothing was sent.")
        if is_over(datetime.fromtimestamp(expires_at, UTC), self._clock()):
            raise Expired(
                f"This token is older than {GOOD_FOR.seconds // 60} minutes, or of a time in the future. Ask for a new "
                "preview. Nothing was sent."
            )
        known = json.loads(_box(token).decrypt(sealed))
        return PendingConfirmation(**{**known, "binding": tuple(known["binding"])})

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            make_file(self._path)
            with closing(sqlite3.connect(self._path, timeout=30.0, isolation_level=None)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute(_DDL)
                yield connection
                connection.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            raise AuditUnavailable(
                f"{self._path}, the list of pending confirmations, cannot be used: {error}. It may be removed: then "
                "previews have to be asked for again. Nothing was sent."
            ) from error


def _hash(token: str) -> str:
    return sha256(b"name:" + token.encode("utf-8", errors="replace")).hexdigest()


def _box(token: str) -> Any:
    from cryptography.fernet import Fernet  # only where something is confirmed later

    return Fernet(urlsafe_b64encode(sha256(b"seal:" + token.encode()).digest()))
