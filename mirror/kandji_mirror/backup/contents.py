"""What a backup has: ``backup.json`` names each file with its size and hash, and what the rows are.

A backup is laid out as a home is. Only names of :data:`_NAMES` are in it, and only those are ever taken from one:
whoever hands over a backup chooses neither where something is written nor what else is.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from kandji_schema.errors import StoreDamaged, StoreNewer
from kandji_schema.installation import mirror_version
from kandji_schema.store_version import STORE_VERSION

NAME = "backup.json"
FORMAT = 1

LARGEST = 64_000_000
"""Bytes of a :data:`NAME`: half a million files."""

CHECKS, PRIVACY_KEY, STATE, AUDIT = "checks.toml", "privacy.key", "state.sqlite", "audit.sqlite"

_NAMES = re.compile(
    r"store/manifests/[0-9]{8,12}\.json"
    r"|store/(data|history)/[a-z0-9_]+(\.[a-z0-9_]+)*\.duckdb"
    r"|store/people\.[0-9a-f]{16}\.parquet"
    r"|store/tenant|store/feeds\.json"
    r"|privacy\.key|state\.sqlite|checks\.(sqlite|toml)|compliance\.toml"
    r"|audit\.(sqlite|head|signed)"
    r"|queries/[a-z][a-z0-9_]{0,59}\.sql",
    re.ASCII,
)


@dataclass(frozen=True)
class Entry:
    """One file: its path in the home, bytes, and SHA-256."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Contents:
    """What is in a backup. ``rows`` are those of each table, ``left_out`` tells in sentences what is not in it."""

    tenant: str
    generation: int
    published_at: datetime
    made_at: datetime
    rows: Mapping[str, int]
    audit_records: int
    files: tuple[Entry, ...]
    left_out: tuple[str, ...] = ()
    store: int = STORE_VERSION
    written_by: str = field(default_factory=mirror_version)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(entry.bytes for entry in self.files)

    def to_json(self) -> bytes:
        """Return the bytes of ``backup.json``."""
        body = _canonical({k: v for k, v in asdict(self).items() if k not in {"store", "written_by"}})
        head = {"backup": FORMAT, "store": self.store, "written_by": self.written_by, "sha256": _checksum(body)}
        return json.dumps({**head, "contents": json.loads(body)}, indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes) -> "Contents":
        """Read ``backup.json``; :class:`StoreDamaged` where it is none, :class:`StoreNewer` of a newer version."""
        try:
            envelope = json.loads(data)
            store, by = int(envelope["store"]), str(envelope["written_by"])
            if envelope["backup"] > FORMAT or store > STORE_VERSION:
                raise StoreNewer(
                    f"The backup was written by kandji-mirror {by} (version {store} of the store), and what "
                    f"is installed here knows versions up to {STORE_VERSION}: install {by} or a newer one; nothing was "
                    "touched."
                )
            if envelope["sha256"] != _checksum(_canonical(envelope["contents"])):
                raise StoreDamaged(f"{NAME} is not what was written: its checksum does not match")
            return _contents(envelope["contents"], store, by)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise StoreDamaged(f"{NAME} is none of ours ({type(error).__name__})") from error


def may_be_in(path: str) -> bool:
    """Tell whether a backup may have a file of that path."""
    return _NAMES.fullmatch(path) is not None


def _contents(body: Mapping[str, Any], store: int, by: str) -> Contents:
    files = tuple(Entry(str(e["path"]), int(e["bytes"]), str(e["sha256"])) for e in body["files"])
    paths = [entry.path for entry in files]
    if odd := [path for path in paths if not may_be_in(path)]:
        raise StoreDamaged(f"it names {odd[0][:200]!r}, which no backup has")
    if len({*paths}) < len(paths) or any(entry.bytes < 0 for entry in files):
        raise StoreDamaged("it names a file twice, or one of no size")
    return Contents(
        tenant=str(body["tenant"]),
        generation=int(body["generation"]),
        published_at=datetime.fromisoformat(body["published_at"]),
        made_at=datetime.fromisoformat(body["made_at"]),
        rows={str(name): int(count) for name, count in body["rows"].items()},
        audit_records=int(body["audit_records"]),
        files=files,
        left_out=tuple(map(str, body["left_out"])),
        store=store,
        written_by=by,
    )


def _canonical(body: object) -> str:
    return json.dumps(body, sort_keys=True, default=_plain)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _checksum(text: str) -> str:
    return sha256(text.encode()).hexdigest()
