"""The manifest: one small JSON file that says which data file is each table's current one.

Layout below the home directory::

    store/manifests/00000042.json           the highest readable number is the current state
    store/data/apps.00000037.duckdb         one immutable file a table and generation, holding the table ``apps``
    store/data/apps.masked.00000037.duckdb  its masked copy, with pseudonyms for personal data, where wanted

A manifest is written once and never changed. It carries its own checksum, so a torn or altered one is noticed and the
one before it answers; and the version of the store with the program that wrote it, see
:mod:`kandji_schema.store_version`. Readers and the writer share this module and nothing else.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from kandji_schema.errors import NothingMirrored, StoreDamaged, StoreError, StoreNewer
from kandji_schema.feeds import feed_of
from kandji_schema.files import has_size
from kandji_schema.installation import mirror_version
from kandji_schema.privacy import Privacy
from kandji_schema.read_days import Spans
from kandji_schema.store_version import STORE_VERSION, head, version_in
from kandji_schema.unfinished import is_unfinished


class State(StrEnum):
    """How the last attempt to sync a table ended."""

    NEVER = "never synced"
    OK = "ok"
    PARTIAL = "partial"
    FORBIDDEN = "no permission"
    ABSENT = "not offered"
    FAILED = "failed"


OFF = "off"
"""What the state of a table is called that is made of a public feed which was never read."""

NO_OBJECT = "(no object)"
"""Stands for a field in :attr:`Drift.odd` where a member of the list of rows was no object at all."""


@dataclass(frozen=True)
class Drift:
    """How the provider's rows differed from what is declared, as of the pass that last read a whole set.

    ``unknown`` and ``odd`` count rows by field of the provider: with a field that has no column, and with a value that
    did not fit its column. Both are kept in ``extra``. ``missing`` are declared fields that no row carried.
    """

    unknown: Mapping[str, int] = field(default_factory=dict)
    odd: Mapping[str, int] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Segment:
    """One immutable file of history below ``store/history``. Times are aware UTC, ``until`` is the newest event's.

    ``tables`` counts the events by table; ``bytes`` is the size of the file. ``masked_file`` has the same events with
    pseudonyms, as for a table.
    """

    file: str
    bytes: int
    since: datetime
    until: datetime
    tables: Mapping[str, int] = field(default_factory=dict)
    masked_file: str | None = None
    masked_bytes: int = 0

    @property
    def files(self) -> Mapping[str, int]:
        """Names of all its files with their sizes."""
        return {self.file: self.bytes} | ({self.masked_file: self.masked_bytes} if self.masked_file else {})


@dataclass(frozen=True)
class TableState:
    """What is mirrored of one table. Times are aware UTC.

    ``file`` is the name below ``store/data`` or None while nothing was ever synced; then ``ddl`` makes the empty table.
    ``bytes`` is the size of that file. ``digest`` is an order-independent hash of all rows (DuckDB's ``hash``).
    ``synced_at`` is when the pass that read these rows began: the answer to "how old is this?". For a swept table it is
    when the oldest of its rows was read.

    ``ttl_seconds`` is the age after which the table is due; where the budget stretched it, ``ttl_reason`` says why.
    ``whole_at`` is when all rows were last read, ``checked_at`` when their number was last found equal to the
    provider's. ``surplus`` is how many rows the provider counted more than it sent rows of different keys at that time.
    ``built_bytes`` is the size of the file when it was last written anew. ``watermark`` is where the next increment
    begins, ``collected_at`` up to when rows that were only collected again are in. ``note`` says what is not perfect
    though nothing failed. ``drift`` is what of the provider's rows was not as declared.

    ``privacy`` is the mode ``file`` was written in. ``masked_file``, of ``masked_bytes``, has the same rows with
    pseudonyms in place of personal data: ``file`` itself where nothing personal is in it, None where there is none.
    ``masked_with`` names the key of the pseudonyms. ``read_days`` are the days on which it was read, see
    :mod:`kandji_schema.read_days`; the store adds to them.
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
    drift: Drift = Drift()  # frozen
    state: State = State.NEVER
    attempted_at: datetime | None = None
    error: str | None = None
    note: str | None = None
    ttl_reason: str | None = None
    whole_at: datetime | None = None
    checked_at: datetime | None = None
    watermark: datetime | None = None
    collected_at: datetime | None = None
    surplus: int = 0
    built_bytes: int = 0
    privacy: Privacy = Privacy.OFF
    masked_file: str | None = None
    masked_bytes: int = 0
    masked_with: str | None = None
    read_days: Spans = ()

    @property
    def is_off(self) -> bool:
        """Whether it is of a public feed of which nothing was ever read or tried: no trouble, but a choice."""
        return self.state is State.NEVER and feed_of(self.name) is not None

    @property
    def state_word(self) -> str:
        """How the last attempt ended, as people are told; :data:`OFF` for a table that :attr:`is_off`."""
        return OFF if self.is_off else self.state.value

    @property
    def files(self) -> Mapping[str, int]:
        """Names of all its files with their sizes."""
        named = {self.file: self.bytes, self.masked_file: self.masked_bytes}
        return {file: size for file, size in named.items() if file}


@dataclass(frozen=True)
class Manifest:
    """One published state of the whole mirror. ``history`` are the segments, oldest first.

    ``withheld`` is only ever set by :meth:`masked` and never written: the tables of which there are no masked rows.
    ``store`` is the version of the store that it is of.
    """

    generation: int
    tenant: str
    published_at: datetime
    tables: Mapping[str, TableState] = field(default_factory=dict)
    history: tuple[Segment, ...] = ()
    withheld: frozenset[str] = frozenset()
    store: int = STORE_VERSION

    @property
    def file_sizes(self) -> Mapping[str, int]:
        """Sizes of all files that it names, by their path below the folder ``store``."""
        data = {f"data/{file}": size for state in self.tables.values() for file, size in state.files.items()}
        return data | {f"history/{file}": size for segment in self.history for file, size in segment.files.items()}

    def masked(self) -> "Manifest":
        """Return the state as those see it from whom personal data is kept: of every file its masked copy.

        A table without one has no rows, and its name is in ``withheld``; of history only what is masked is left.
        """
        states = self.tables.items()
        return replace(
            self,
            tables={name: replace(t, file=t.masked_file, bytes=t.masked_bytes) for name, t in states},
            history=_masked_history(self.history),
            withheld=frozenset(name for name, t in states if t.file and not t.masked_file),
        )

    def unlike(self, mode: Privacy) -> list[str]:
        """Tables whose files are not yet as a mode wants them; the next sync makes them so."""
        return [t.name for t in self.tables.values() if t.file and not _is_like(t, mode)]

    def to_json(self) -> bytes:
        """Return the manifest as the bytes of its file, of this version of the store."""
        body = {name: value for name, value in vars(self).items() if name not in {"withheld", "store"}}
        text = json.dumps(body, default=_plain, sort_keys=True)
        return b"".join(
            [f'{{{head(mirror_version())}, "sha256": "{_checksum(text)}", '.encode(), _BODY, text.encode(), _END]
        )

    @classmethod
    def from_json(cls, data: bytes) -> "Manifest":
        """Read the bytes of a manifest file; :class:`StoreDamaged` where they are none, or :class:`StoreNewer`."""
        try:
            envelope = json.loads(data)
            store = version_in(envelope)
            body = envelope["manifest"]
            as_written = data.partition(_BODY)[2].removesuffix(_END).decode()
            if envelope["sha256"] not in map(_checksum, _spellings(as_written, body)):
                raise StoreDamaged("the checksum does not match")
            tables = {name: _table(entry) for name, entry in body.pop("tables").items()}
            published_at = datetime.fromisoformat(body.pop("published_at"))
            history = tuple(_segment(entry) for entry in body.pop("history", ()))
            return cls(tables=tables, published_at=published_at, history=history, store=store, **body)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreDamaged(f"it is not a manifest ({type(error).__name__})") from error


def _is_like(state: TableState, mode: Privacy) -> bool:
    if Privacy.ON in (mode, state.privacy):
        return state.privacy is mode
    return mode is Privacy.OFF or state.masked_file is not None


def _masked_history(segments: tuple[Segment, ...]) -> tuple[Segment, ...]:
    """Return the newest segments with a masked copy, down to the first without one: history has no holes."""
    bare = [place for place, segment in enumerate(segments) if segment.masked_file is None]
    whole = segments[bare[-1] + 1 :] if bare else segments
    return tuple(replace(s, file=str(s.masked_file), bytes=s.masked_bytes) for s in whole)


def manifests_dir(home: Path) -> Path:
    """Return the folder of the manifests."""
    return home / "store" / "manifests"


def data_dir(home: Path) -> Path:
    """Return the folder of the data files."""
    return home / "store" / "data"


def history_dir(home: Path) -> Path:
    """Return the folder of the history segments."""
    return home / "store" / "history"


def manifest_path(home: Path, generation: int) -> Path:
    """Return the file of one manifest."""
    return manifests_dir(home) / f"{generation:08d}.json"


def generations(home: Path) -> list[int]:
    """List the numbers of the manifests, newest first; :class:`StoreError` where the folder cannot be read."""
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
    """Read every manifest, newest first; a damaged one as the error that says so, for the reader to report.

    Raises :class:`StoreNewer` at one of a newer version of the program.
    """
    for generation in generations(home):
        path = manifest_path(home, generation)
        try:
            yield Manifest.from_json(path.read_bytes())
        except FileNotFoundError:
            continue  # collected between the listing and the read
        except StoreNewer as error:
            raise StoreNewer(f"The mirror in {home} {error}") from None
        except (StoreDamaged, OSError) as error:
            yield StoreDamaged(f"Manifest {path.name} cannot be used: {error}.")


def newest_readable(home: Path) -> Manifest | None:
    """Return the newest manifest that can be read, whatever of its files is there; None where there is none.

    Raises :class:`StoreNewer`, and :class:`StoreError` where the folder cannot be read.
    """
    return next((found for found in kept(home) if isinstance(found, Manifest)), None)


def missing_files(home: Path, manifest: Manifest) -> list[str]:
    """Name the manifest's data files that are absent or have another size than when they were published."""
    return [t.file for t in manifest.tables.values() if t.file and not has_size(data_dir(home) / t.file, t.bytes)]


DEMO = "demo"
"""Folder of the home in which the usual demo keeps its own mirror."""


def nothing_mirrored(home: Path) -> NothingMirrored:
    """Return the error of a home without any manifest; it names the mirror of a demo that was made beside it."""
    if is_unfinished(home):
        return NothingMirrored(
            f"A restore into {home} was stopped in its last step. `kandji-mirror doctor --fix` carries it out, as does "
            "the next restore or sync."
        )
    other, demo = "Or run `kandji-mirror demo` without an account.", home / DEMO
    if generations(demo):
        other = f"The demo's mirror answers with KANDJI_MIRROR_HOME={demo}."
    return NothingMirrored(f"Nothing is mirrored in {home} yet. Run `kandji-mirror sync`. {other}")


def newest_whole(home: Path, *, masked: bool = False) -> tuple[Manifest, list[str]]:
    """Return the manifest readers use, ``masked`` or not, and why newer ones are not; raises when there is none."""
    warnings: list[str] = []
    for found in kept(home):
        if isinstance(found, StoreDamaged):
            warnings.append(str(found))
            continue
        candidate = found.masked() if masked else found
        missing = missing_files(home, candidate)
        if not missing:
            return candidate, warnings
        warnings.append(f"Manifest {candidate.generation} names files that are missing or cut: {', '.join(missing)}.")
    if warnings:
        raise StoreDamaged(f"{' '.join(warnings)} Run `kandji-mirror sync --full` to read everything anew.")
    raise nothing_mirrored(home)


_BODY, _END = b'"manifest":\n', b"}\n"
"""What a manifest's file has before and after the text that its checksum is of."""

_TIMES = ("synced_at", "attempted_at", "whole_at", "checked_at", "watermark", "collected_at")


def _table(entry: dict[str, Any]) -> TableState:
    known = {name: entry[name] for name in TableState.__dataclass_fields__ if name in entry}
    times = {name: datetime.fromisoformat(text) for name in _TIMES if (text := entry.get(name))}
    drift = entry.get("drift", {})
    return TableState(
        **{
            **known,
            **times,
            "ddl": tuple(entry["ddl"]),
            "state": State(entry["state"]),
            "privacy": Privacy(entry.get("privacy", Privacy.OFF)),
            "drift": Drift(**{**drift, "missing": tuple(drift.get("missing", ()))}),
            "read_days": tuple((first, last) for first, last in entry.get("read_days", ())),
        }
    )


def _segment(entry: dict[str, Any]) -> Segment:
    return Segment(**{**entry, **{name: datetime.fromisoformat(entry[name]) for name in ("since", "until")}})


def _plain(value: object) -> str | dict[str, object]:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, TableState | Segment | Drift):
        return vars(value)
    raise TypeError(f"{type(value).__name__} does not belong into a manifest")


def _spellings(as_written: str, body: object) -> Iterator[str]:
    """Give the texts that the checksum may be of: the one as written, and the slower way however laid out."""
    yield as_written
    yield json.dumps(body, sort_keys=True)


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
