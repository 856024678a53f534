"""What takes how much of a home, what nothing names any more, and what a shorter history would free."""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from kandji_mirror.store.lock import holder, writer_lock
from kandji_mirror.store.store import (
    COPY,
    FOLDERS,
    GRACE_SECONDS,
    HISTORY_GRACE_SECONDS,
    KEEP_MANIFESTS,
    TEMPORARY,
    remove,
    unnamed,
)
from kandji_schema.disk import bytes_of
from kandji_schema.errors import AlreadySyncing
from kandji_schema.manifest import (
    Manifest,
    Segment,
    data_dir,
    generations,
    history_dir,
    kept,
    manifest_path,
    newest_readable,
    nothing_mirrored,
)
from kandji_schema.unfinished import STAGED, is_unfinished


@dataclass(frozen=True)
class Part:
    """One part of a home: how many files, how many bytes, and what it is."""

    name: str
    files: int
    bytes: int
    what: str


_BESIDE = (
    ("audit log", ("audit.*",), "the record of live actions"),
    ("memory of the writer", ("state.sqlite*", "privacy.key", "store/*.*", "store/tenant"), "what makes syncs cheaper"),
    ("checks", ("checks.*",), "what checks remember and tell"),
    ("exports", ("exports", "exported"), "files that assistants had written, and what was exported before; yours"),
    ("aside", ("aside",), "former mirrors that were moved aside; remove them when nobody needs them"),
    ("before upgrade", (COPY,), "what the home was; goes after the next good pass"),
    ("backups", ("kandji-mirror-*", "backup*", "*.tar*", "*.tgz"), "backups inside the home; better on another disk"),
    ("logs", ("*.log*", "logs"), "logs"),
)


def disk_use(home: Path) -> list[Part]:
    """Measure the parts of a home, those without a byte left out. Raises :class:`NothingMirrored`."""
    manifest = newest_readable(home)
    if manifest is None:
        raise nothing_mirrored(home)
    found = [*_of_store(home, manifest), *_beside(home)]
    rest = bytes_of(home) - sum(part.bytes for part in found)
    parts = [*found, Part("other", 0, max(rest, 0), "rules, queries, demo homes, and whatever else is there")]
    return [part for part in parts if part.bytes]


def _of_store(home: Path, manifest: Manifest) -> Iterator[Part]:
    tables, segments = manifest.tables.values(), manifest.history
    rows = {state.file: state.bytes for state in tables if state.file}
    masked = {state.masked_file: state.masked_bytes for state in tables if state.masked_file not in (None, state.file)}
    own = {segment.file: segment.bytes for segment in segments}
    hidden = {s.masked_file: s.masked_bytes for s in segments if s.masked_file not in (None, s.file)}
    yield Part("rows", len(rows), sum(rows.values()), "the current state of every table")
    yield Part("masked rows", len(masked), sum(masked.values()), "the same with pseudonyms, for AI clients")
    yield Part("history", len(own), sum(own.values()), f"{_events(segments):,} changes")
    yield Part("masked history", len(hidden), sum(hidden.values()), "the same with pseudonyms")
    named = {"data": {*rows, *masked}, "history": {*own, *hidden}}
    others = [
        path
        for folder, names in (("data", named["data"]), ("history", named["history"]))
        for path in (home / "store" / folder).glob("*")
        if path.name not in names
    ]
    yield Part("earlier states", len(others), _sum(others), f"of the last {KEEP_MANIFESTS} syncs; they come and go")
    listed = [*(home / "store" / "manifests").glob("*")]
    yield Part("manifests", len(listed), _sum(listed), "which files belong together")


def _beside(home: Path) -> Iterator[Part]:
    for name, patterns, what in _BESIDE:
        paths = [
            path
            for pattern in patterns
            for path in home.glob(pattern)
            if name != "memory of the writer" or path.is_file()
        ]
        files = [file for path in paths for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file()]
        yield Part(name, len(files), _sum(files), what)


def _sum(paths: Iterable[Path]) -> int:
    """Add up what is theirs alone: another name of a file of the store takes no room."""
    total = 0
    for path in paths:
        with suppress(OSError):
            found = path.lstat()
            total += (
                found.st_size if found.st_nlink == 1 or ("store" in path.parts[-3:-1] and COPY not in path.parts) else 0
            )
    return total


def _events(segments: Iterable[Segment]) -> int:
    return sum(sum(segment.tables.values()) for segment in segments)


def freed_by(segments: Iterable[Segment], now: datetime, days: Iterable[int]) -> Mapping[int, int]:
    """Return the bytes that go where history is kept for so many days; a file goes when its newest change is older."""
    listed = list(segments)
    return {day: sum(sum(s.files.values()) for s in listed[:-1] if s.until < now - timedelta(days=day)) for day in days}


# -- garbage ----------------------------------------------------------------------------------------------------------


def garbage(home: Path, *, locked: bool) -> list[Path]:
    """List what nothing names any more; what looks unfinished only where the home is ``locked``."""
    listed = [found for found in kept(home) if isinstance(found, Manifest)]
    if not listed:
        return []
    data = {file for m in listed for state in m.tables.values() for file in state.files}
    segments = {file for m in listed for segment in m.history for file in segment.files}
    found = [
        *unnamed(data_dir(home), data, GRACE_SECONDS),
        *unnamed(history_dir(home), segments, HISTORY_GRACE_SECONDS),
    ]
    if locked:
        found += [path for folder_of in FOLDERS for path in folder_of(home).glob(f"*{TEMPORARY}*")]
        found += [home / f"{COPY}{TEMPORARY}"] if (home / f"{COPY}{TEMPORARY}").exists() else []
        found += [home / STAGED] if (home / STAGED).exists() and not is_unfinished(home) else []
        whole = [m.generation for m in listed]
        old = [generation for generation in generations(home)[KEEP_MANIFESTS:] if generation != whole[0]]
        found += [manifest_path(home, generation) for generation in old]
    return sorted(found)


def collect(home: Path, *, dry_run: bool = False) -> list[tuple[Path, int]]:
    """Remove what nothing names any more, or only list it; returns each with its bytes.

    Raises :class:`NothingMirrored`, and :class:`AlreadySyncing`: whoever syncs does this after every pass.
    """
    if newest_readable(home) is None:
        raise nothing_mirrored(home)
    if dry_run and holder(home):
        return [(path, _size(path)) for path in garbage(home, locked=False)]
    try:
        with writer_lock(home):
            found = [(path, _size(path)) for path in garbage(home, locked=True)]
            for path, _ in [] if dry_run else found:
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    remove(path)
            return found
    except AlreadySyncing as error:
        raise AlreadySyncing(f"{error} It removes what nobody needs after every pass; there is no need to.") from None


def _size(path: Path) -> int:
    return bytes_of(path) if path.is_dir() else path.stat().st_size
