"""The store as its one writer sees it: the current manifest, room for new files, and the way to publish them.

It is made by :func:`kandji_mirror.store.opening.open_store` and by nothing else.
"""

import logging
import shutil
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Self

from kandji_mirror.history.recorder import HistoryRecorder
from kandji_mirror.privacy.key import key_of
from kandji_schema import ddl
from kandji_schema.disk import UNBOUNDED, DiskBounds
from kandji_schema.errors import ConfigurationError, StoreFull
from kandji_schema.files import has_size, publish_file, write_atomically
from kandji_schema.manifest import (
    Manifest,
    Segment,
    State,
    TableState,
    data_dir,
    generations,
    history_dir,
    kept,
    manifest_path,
    manifests_dir,
)
from kandji_schema.privacy import Privacy
from kandji_schema.read_days import with_day
from kandji_schema.resource import Resource

log = logging.getLogger(__name__)

KEEP_MANIFESTS = 5
"""A reader may still hold one of the last few states; see also :data:`GRACE_SECONDS`."""

GRACE_SECONDS = 3_600
"""Data files no kept manifest names stay this long, for readers that are slow to notice."""

HISTORY_GRACE_SECONDS = 60
"""The same for segments of history. They are opened in the moment they are asked for, so only the way from a manifest
to its files has to be covered, and a busy day rewrites its newest segment hundreds of times."""

TEMPORARY = ".tmp"
"""What every unfinished file has in its name, by which leftovers of a killed writer are swept."""

COPY = "before-upgrade"
"""Folder of the home for the copy of what it was before an upgrade."""

FOLDERS = (manifests_dir, data_dir, history_dir)
"""Functions that give the store's folders below a home."""


class Store:
    """The current manifest, room for new files, and the way to publish them.

    Thread-safe. ``lock`` makes several steps one: hold it from the look at :attr:`current` and :attr:`next_generation`
    to :meth:`publish` where what is published depends on them, as history does. ``recorder`` keeps what changed.
    """

    def __init__(
        self,
        home: Path,
        tenant: str,
        resources: Mapping[str, Resource],
        wall: Callable[[], datetime],
        privacy: Privacy,
        disk: DiskBounds = UNBOUNDED,
    ) -> None:
        """Open what is published. ``wall`` tells the time, aware UTC; ``privacy`` is what new files are to be."""
        self.home = home
        self.tenant = tenant
        self.wall = wall
        self.warnings: list[str] = []
        self.lock = threading.RLock()
        self.privacy = privacy
        self.tight: str | None = None
        self._disk = disk
        self.key = key_of(home) if privacy.masks_agents else None
        self.recorder = HistoryRecorder(home)
        self._resources = resources
        self._newest = max(generations(home), default=0)
        self._known: dict[int, Manifest] = {}
        self._held = 0
        self.current = self._last_readable()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.recorder.close()

    def _last_readable(self) -> Manifest:
        """Return the newest manifest that can be read, with an entry for every table this version knows."""
        found = Manifest(0, self.tenant, self.wall())
        for candidate in kept(self.home):
            if isinstance(candidate, Manifest):
                found = candidate
                break
            self.warnings.append(f"{candidate} The one before it is used.")
        self._refuse_other_tenant(found.tenant)
        return replace(found, tables={name: self._known_state(found, r) for name, r in self._resources.items()})

    def _refuse_other_tenant(self, mirrored: str) -> None:
        if mirrored != self.tenant:
            raise ConfigurationError(
                f"{self.home} mirrors the tenant {mirrored!r}, the settings name {self.tenant!r}. One home holds one "
                "tenant: set KANDJI_MIRROR_HOME to another folder, or `kandji-mirror reset` moves this mirror aside."
            )

    def _known_state(self, manifest: Manifest, resource: Resource) -> TableState:
        """Return what is mirrored of a table; a lost or cut file counts as never synced, so it is made anew."""
        never = self.never_synced(resource.name)
        known = manifest.tables.get(resource.name)
        if known is None:
            return never
        if known.file is None:
            return replace(known, ttl_seconds=never.ttl_seconds, ddl=never.ddl)
        path = data_dir(self.home) / known.file
        if not has_size(path, known.bytes):
            self.warnings.append(f"{path} is missing or cut; {resource.name} will be read anew.")
            return never
        copy = known.masked_file
        if copy and not has_size(data_dir(self.home) / copy, known.masked_bytes):  # counts as never made
            known = replace(known, masked_file=None, masked_bytes=0, masked_with=None)
        return replace(known, ttl_seconds=never.ttl_seconds)  # its ddl stays: it says what the file looks like

    def never_synced(self, table: str) -> TableState:
        """Return the state of a table that nothing is mirrored of."""
        resource = self._resources[table]
        return TableState(table, ddl.statements(resource), int(resource.ttl.total_seconds()))

    @property
    def next_generation(self) -> int:
        """Number of the manifest that :meth:`publish` writes next."""
        return self._newest + 1

    def data_file(self, table: str) -> Path | None:
        """Return the table's current data file where newer rows can be put on it, else None."""
        state = self.current.tables[table]
        return data_dir(self.home) / state.file if state.file and self.fits(state) else None

    def fits(self, state: TableState) -> bool:
        """Whether the rows of a table are masked as rows that come now would be, with the same key."""
        if self.privacy.masks_people:
            return state.privacy is Privacy.ON and self.key is not None and state.masked_with == self.key.name
        return state.privacy is not Privacy.ON

    @contextmanager
    def scratch(self, table: str) -> Iterator[tuple[Path, Path]]:
        """Give two temporary paths, for collecting rows and for the next data file; both are gone after the block."""
        paths = tuple(data_dir(self.home) / f"{table}.{use}{TEMPORARY}" for use in ("scratch", "next"))
        for path in paths:
            remove(path)
        try:
            yield paths[0], paths[1]
        finally:
            for path in paths:
                remove(path)

    def admit(self, table: str, finished: Path, *, masked: bool = False) -> str:
        """Give a finished file its name in the next generation, without making it current yet; returns the name."""
        with self.lock:
            kind = "masked." if masked else ""
            final = data_dir(self.home) / f"{table}.{kind}{self.next_generation:08d}.duckdb"
            with store_full(final):
                publish_file(finished, final)
            return final.name

    def is_tight(self) -> bool:
        """Whether a bound on the disk is reached, so that history may not grow; ``tight`` says which, in a sentence."""
        found = self._disk.reached(self.home)
        if found and not self.tight:
            log.warning("%s", found)
        elif self.tight and not found:
            log.info("There is room again in %s: history grows as before.", self.home)
        self.tight = found
        return found is not None

    def publish(self, changed: Mapping[str, TableState], history: tuple[Segment, ...] | None = None) -> Manifest:
        """Make the changed tables current, all at one moment, and let go of what nobody needs any more.

        ``history`` are all segments from now on, oldest first, as ``recorder`` returned them; None leaves them as they
        are. Raises :class:`StoreFull`; then nothing changed for readers.
        """
        with self.lock:
            segments = self.current.history if history is None else history
            tables = {**self.current.tables, **{name: self._with_day(state) for name, state in changed.items()}}
            manifest = Manifest(self.next_generation, self.tenant, self.wall(), tables, segments)
            path = manifest_path(self.home, manifest.generation)
            with store_full(path):
                write_atomically(path, manifest.to_json())
            self._newest, self.current = manifest.generation, manifest
            self._known[manifest.generation] = manifest
            self._collect()
            return manifest

    def _with_day(self, state: TableState) -> TableState:
        """Return a state with the day of its pass among those on which the table was read, where all went well."""
        before = self.current.tables.get(state.name)
        known = before.read_days if before else ()
        is_read = (
            state.state is State.OK and state.attempted_at and state.attempted_at != (before and before.attempted_at)
        )
        days = with_day(known, state.attempted_at) if is_read and state.attempted_at else known
        return replace(state, read_days=days)

    def make_due(self, tables: Collection[str]) -> None:
        """Have some tables read at once, whenever they were read before."""
        due = {name: replace(self.current.tables[name], attempted_at=None) for name in tables}
        self.current = replace(self.current, tables={**self.current.tables, **due})

    def hold_current(self) -> None:
        """Keep the present state, however many a run publishes, until this is called again.

        The states of one run share most of their files; one that is damaged needs a state from before it.
        """
        self._held = self.current.generation

    def _collect(self) -> None:
        for generation in generations(self.home)[KEEP_MANIFESTS:]:
            if generation != self._held:
                remove(manifest_path(self.home, generation))
        self._remove_unnamed(self._kept(), GRACE_SECONDS, HISTORY_GRACE_SECONDS)

    def _kept(self) -> Collection[Manifest]:
        """Read the manifests there are, as far as they can be read. None ever changes, so that each is read once."""
        there = generations(self.home)
        if not self._known.keys() >= set(there):
            self._known |= {m.generation: m for m in kept(self.home) if isinstance(m, Manifest)}
        self._known = {generation: m for generation, m in self._known.items() if generation in there}
        return self._known.values()

    def forget_the_past(self) -> None:
        """Leave nothing but the current state and its files, at once, whoever may still read others."""
        with self.lock:
            self.remove_copy()
            for generation in generations(self.home):
                if generation != self.current.generation:
                    remove(manifest_path(self.home, generation))
            self._remove_unnamed([self.current], 0, 0)

    def remove_copy(self) -> None:
        """Remove what the home was before an upgrade, where that is still kept; its manifest first."""
        shutil.rmtree(manifests_dir(self.home / COPY), ignore_errors=True)
        shutil.rmtree(self.home / COPY, ignore_errors=True)

    def _remove_unnamed(self, manifests: Collection[Manifest], grace: float, history_grace: float) -> None:
        data = {file for m in manifests for t in m.tables.values() for file in t.files}
        segments = {file for m in manifests for segment in m.history for file in segment.files}
        _remove_unnamed(data_dir(self.home), data, grace)
        _remove_unnamed(history_dir(self.home), segments, history_grace)


def _remove_unnamed(folder: Path, named: Collection[str | None], grace: float) -> None:
    for path in unnamed(folder, named, grace):
        remove(path)


def unnamed(folder: Path, named: Collection[str | None], grace: float) -> list[Path]:
    """List the data files that are not ``named`` and older than ``grace`` seconds, so that no reader waits for them."""
    now, found = time.time(), []
    for path in folder.glob("*.duckdb"):
        age = now - path.stat().st_mtime
        ahead = -age > max(grace, HISTORY_GRACE_SECONDS)  # written by a clock that was wrong then
        if path.name not in named and (age >= grace or ahead):
            found.append(path)
    return found


def remove(path: Path) -> None:
    """Remove a file with what DuckDB puts beside it. Windows keeps an open one: the next sweep gets it."""
    for leftover in (path, path.with_name(path.name + ".wal"), path.with_suffix(".spill")):
        try:
            if leftover.is_dir():
                shutil.rmtree(leftover, ignore_errors=True)
            else:
                leftover.unlink(missing_ok=True)
        except PermissionError:
            continue


@contextmanager
def store_full(path: Path) -> Iterator[None]:
    """Turn the system's errors of the block into :class:`StoreFull`, which says what to do about ``path``."""
    try:
        yield
    except OSError as error:
        raise StoreFull(
            f"{path} could not be written: {error.strerror or error}. Free some space, correct the rights, or choose "
            "another KANDJI_MIRROR_HOME; what was published before still answers."
        ) from error
