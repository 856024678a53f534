"""What an export wrote."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple


@dataclass(frozen=True, kw_only=True)
class ExportedFile:
    """One file. ``path`` is relative to the manifest, with slashes; ``rows`` is None where only their sum is known."""

    path: str
    bytes: int
    sha256: str
    rows: int | None = None


class StoredItem(NamedTuple):
    """Where the rows of one item are, how many, and what its form makes one say of them."""

    rows: int
    files: tuple[ExportedFile, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ExportedItem:
    """One table, view or query of an export.

    ``as_of`` tells for each mirrored table behind it when its rows were read from the provider, None where it was never
    synced; ``notes`` is what has to be known of them. ``generation`` is the state of the mirror the rows are from,
    ``exported_at`` the moment they were written. ``sql`` and ``params`` are a named query's. Times are
    ``2026-11-20T12:00:00Z``. Several entries may share a file; a partitioned one has several.
    ``opened_by`` says which programs open the files, where that is not every one that knows the format.
    ``asset_map`` is the map it was made by, ``changed_since`` the moment since which its rows changed, where not all
    rows were wanted.
    """

    name: str
    kind: str
    format: str
    rows: int
    columns: tuple[Mapping[str, str], ...]
    as_of: Mapping[str, str | None]
    notes: tuple[str, ...]
    generation: int
    exported_at: str
    files: tuple[ExportedFile, ...]
    sql: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    opened_by: str | None = None
    asset_map: str | None = None
    changed_since: str | None = None


@dataclass(frozen=True, kw_only=True)
class ExportReport:
    """A finished export: ``folder`` holds its files and ``manifest.json``.

    ``left_out`` are views that cannot be made at present, with the reason; only an export of everything passes over
    them. ``notes`` are those of all entries, each once, and why an older state was exported than the newest.
    ``removed`` are older dated folders that went.
    """

    folder: Path
    exports: tuple[ExportedItem, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    removed: tuple[Path, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file written, without the manifest, each once."""
        return tuple(dict.fromkeys(self.folder / f.path for e in self.exports for f in e.files))

    @property
    def rows(self) -> int:
        """Rows of all entries together."""
        return sum(e.rows for e in self.exports)

    @property
    def bytes(self) -> int:
        """Size of all files together."""
        return sum({f.path: f.bytes for e in self.exports for f in e.files}.values())
