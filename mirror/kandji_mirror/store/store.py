"""The store as its one writer sees it."""

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from kandji_mirror.store.durable import appear, write_new
from kandji_mirror.store.lock import writer_lock
from kandji_schema import ddl
from kandji_schema.errors import ConfigurationError, StoreFull
from kandji_schema.manifest import Manifest, TableState, data_dir, generations, kept, manifest_path, manifests_dir
from kandji_schema.resource import Resource

KEEP_MANIFESTS = 5
"""A reader may still hold one of the last few states; see also :data:`GRACE_SECONDS`."""

GRACE_SECONDS = 3_600
"""Data files no kept manifest names stay this long, for readers that are slow to notice."""

TEMPORARY = ".tmp"


class Store:
    """The current manifest, room for new files, and the way to publish them. Made by :func:`open_store`."""

    def __init__(
        self, home: Path, tenant: str, resources: Mapping[str, Resource], wall: Callable[[], datetime]
    ) -> None:
        """``wall`` tells the time, aware UTC."""
        self.home = home
        self.tenant = tenant
        self.wall = wall
        self.warnings: list[str] = []
        self._resources = resources
        self._newest = max(generations(home), default=0)
        self.current = self._last_readable()

    def _last_readable(self) -> Manifest:
        """The newest manifest that can be read, with an entry for every table this version knows."""
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
                "tenant: set KANDJI_MIRROR_HOME to another folder."
            )

    def _known_state(self, manifest: Manifest, resource: Resource) -> TableState:
        """What is mirrored of a table; a lost or cut file counts as never synced, so the next pass makes it anew."""
        fresh = TableState(resource.name, ddl.statements(resource), int(resource.ttl.total_seconds()))
        known = manifest.tables.get(resource.name)
        if known is None:
            return fresh
        path = data_dir(self.home) / known.file if known.file else None
        if path and (not path.is_file() or path.stat().st_size != known.bytes):
            self.warnings.append(f"{path} is missing or cut; {resource.name} will be read anew.")
            return fresh
        if known.file is None:
            return replace(known, ttl_seconds=fresh.ttl_seconds, ddl=fresh.ddl)
        return replace(known, ttl_seconds=fresh.ttl_seconds)  # its ddl stays: it says what the file looks like

    def data_file(self, table: str) -> Path | None:
        """The table's current data file."""
        file = self.current.tables[table].file
        return data_dir(self.home) / file if file else None

    @contextmanager
    def scratch(self, table: str) -> Iterator[tuple[Path, Path]]:
        """Two temporary paths, for collecting rows and for the next data file; both are gone after the block."""
        paths = tuple(data_dir(self.home) / f"{table}.{use}{TEMPORARY}" for use in ("scratch", "next"))
        for path in paths:
            _remove(path)
        try:
            yield paths[0], paths[1]
        finally:
            for path in paths:
                _remove(path)

    def admit(self, table: str, finished: Path) -> str:
        """Give a finished file its name in the next generation, without making it current yet; returns the name."""
        final = data_dir(self.home) / f"{table}.{self._newest + 1:08d}.duckdb"
        with _local_trouble(final):
            finished.chmod(0o600)
            final.unlink(missing_ok=True)  # of a run that was killed between this step and its manifest
            appear(finished, final)
        return final.name

    def publish(self, changed: Mapping[str, TableState]) -> Manifest:
        """Make the changed tables current, all at one moment, and let go of what nobody needs any more."""
        generation = self._newest + 1
        manifest = Manifest(generation, self.tenant, self.wall(), {**self.current.tables, **changed})
        path = manifest_path(self.home, generation)
        with _local_trouble(path):
            write_new(path, manifest.to_json())
        self._newest, self.current = generation, manifest
        self._collect()
        return manifest

    def _collect(self) -> None:
        for generation in generations(self.home)[KEEP_MANIFESTS:]:
            _remove(manifest_path(self.home, generation))
        named = {t.file for m in kept(self.home) if isinstance(m, Manifest) for t in m.tables.values()}
        old = time.time() - GRACE_SECONDS
        for path in data_dir(self.home).glob("*.duckdb"):
            if path.name not in named and path.stat().st_mtime < old:
                _remove(path)


@contextmanager
def open_store(
    home: Path,
    tenant: str,
    resources: Mapping[str, Resource],
    wall: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[Store]:
    """Hold the writer's lock, sweep what a killed writer left, and give the store.

    Raises :class:`AlreadySyncing`, :class:`ConfigurationError` for a home of another tenant, and :class:`StoreError`.
    """
    with _local_trouble(home):
        home.mkdir(parents=True, exist_ok=True, mode=0o700)  # names of people are in there
        for folder in (manifests_dir(home), data_dir(home)):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with writer_lock(home):
        _sweep(home)
        yield Store(home, tenant, resources, wall)


def _sweep(home: Path) -> None:
    for folder in (manifests_dir(home), data_dir(home)):
        for path in folder.glob(f"*{TEMPORARY}*"):
            _remove(path)


def _remove(path: Path) -> None:
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
def _local_trouble(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreFull(
            f"{path} could not be written: {error.strerror or error}. Free some space, correct the rights, or choose "
            "another KANDJI_MIRROR_HOME; what was published before still answers."
        ) from error
