"""The manifest: one small JSON file that says which data file is each table's current one.

Layout below the home directory::

    store/manifests/00000042.json           the highest readable number is the current state
    store/data/apps.00000037.duckdb         one immutable file a table and generation, holding the table ``apps``

A manifest is written once and never changed. It carries its own checksum, so a torn or altered one is noticed and the
one before it answers. Readers and the writer share this module and nothing else.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from kandji_schema.errors import NothingMirrored, StoreDamaged, StoreError

FORMAT = 1


class State(StrEnum):
    """How the last attempt to sync a table ended."""

    NEVER = "never synced"
    OK = "ok"
    FORBIDDEN = "no permission"
    FAILED = "failed"


@dataclass(frozen=True)
class TableState:
    """What is mirrored of one table. Times are aware UTC.

    ``file`` is the name below ``store/data`` or None while nothing was ever synced; then ``ddl`` makes the empty table.
    ``bytes`` is the size of that file. ``digest`` is an order-independent hash of all rows (DuckDB's ``hash``).
    ``synced_at`` is when the pass that read these rows began: the answer to "how old is this?".
    """

    name: str
    ddl: tuple[str, ...]
    ttl_seconds: int
    file: str | None = None
    bytes: int = 0
    rows: int = 0
    digest: str | None = None
    synced_at: datetime | None = None
    method: str | None = None
    requests: int = 0
    odd_values: int = 0
    unknown_fields: tuple[str, ...] = ()
    state: State = State.NEVER
    attempted_at: datetime | None = None
    error: str | None = None


@dataclass(frozen=True)
class Manifest:
    """One published state of the whole mirror."""

    generation: int
    tenant: str
    published_at: datetime
    tables: Mapping[str, TableState] = field(default_factory=dict)

    def to_json(self) -> bytes:
        """The manifest as the bytes of its file."""
        body = asdict(self)
        text = json.dumps(body, default=_plain, sort_keys=True)
        head = {"format": FORMAT, "sha256": _checksum(text)}
        return json.dumps({**head, "manifest": json.loads(text)}, indent=1, sort_keys=True).encode()

    @classmethod
    def from_json(cls, data: bytes) -> "Manifest":
        """Read the bytes of a manifest file; :class:`StoreDamaged` where they are not one."""
        try:
            envelope = json.loads(data)
            body = envelope["manifest"]
            if envelope["sha256"] != _checksum(json.dumps(body, sort_keys=True)):
                raise StoreDamaged("the checksum does not match")
            if envelope["format"] != FORMAT:
                raise StoreDamaged(f"its format is {envelope['format']!r}, this version reads {FORMAT}")
            tables = {name: _table(entry) for name, entry in body.pop("tables").items()}
            published_at = datetime.fromisoformat(body.pop("published_at"))
            return cls(tables=tables, published_at=published_at, **body)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreDamaged(f"it is not a manifest ({type(error).__name__})") from error


def manifests_dir(home: Path) -> Path:
    """Folder of the manifests."""
    return home / "store" / "manifests"


def data_dir(home: Path) -> Path:
    """Folder of the data files."""
    return home / "store" / "data"


def manifest_path(home: Path, generation: int) -> Path:
    """File of one manifest."""
    return manifests_dir(home) / f"{generation:08d}.json"


def generations(home: Path) -> list[int]:
    """Numbers of the manifests that exist, newest first; :class:`StoreError` where the folder cannot be read."""
    try:
        names = [entry.name for entry in manifests_dir(home).iterdir()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(
            f"{manifests_dir(home)} cannot be read: {error.strerror}. Correct its rights or set KANDJI_MIRROR_HOME."
        ) from error
    return sorted((int(n[:-5]) for n in names if n.endswith(".json") and n[:-5].isdigit()), reverse=True)


def kept(home: Path) -> Iterator[Manifest | StoreDamaged]:
    """Every manifest, newest first; a damaged one as the error that says so, for the reader to report."""
    for generation in generations(home):
        path = manifest_path(home, generation)
        try:
            yield Manifest.from_json(path.read_bytes())
        except FileNotFoundError:
            continue  # collected between the listing and the read
        except (StoreDamaged, OSError) as error:
            yield StoreDamaged(f"Manifest {path.name} cannot be used: {error}.")


def missing_files(home: Path, manifest: Manifest) -> list[str]:
    """Names of the manifest's data files that are absent or have another size than when they were published."""
    return [t.file for t in manifest.tables.values() if t.file and _size(data_dir(home) / t.file) != t.bytes]


def nothing_mirrored(home: Path) -> NothingMirrored:
    """The error of a home without any manifest."""
    return NothingMirrored(
        f"Nothing is mirrored in {home} yet. Run `kandji-mirror sync`, or `kandji-mirror demo` without an account."
    )


def newest_whole(home: Path) -> tuple[Manifest, list[str]]:
    """The manifest readers use, and why newer ones are not; raises when there is none."""
    warnings: list[str] = []
    for candidate in kept(home):
        if isinstance(candidate, StoreDamaged):
            warnings.append(str(candidate))
            continue
        missing = missing_files(home, candidate)
        if not missing:
            return candidate, warnings
        warnings.append(f"Manifest {candidate.generation} names files that are missing or cut: {', '.join(missing)}.")
    if warnings:
        raise StoreDamaged(f"{' '.join(warnings)} Run `kandji-mirror sync --full` to read everything anew.")
    raise nothing_mirrored(home)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _table(entry: dict[str, Any]) -> TableState:
    times = {k: datetime.fromisoformat(entry[k]) if entry[k] else None for k in ("synced_at", "attempted_at")}
    lists = {k: tuple(entry[k]) for k in ("ddl", "unknown_fields")}
    return TableState(**{**entry, **times, **lists, "state": State(entry["state"])})


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError(f"{type(value).__name__} does not belong into a manifest")


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
