"""Which manifest answers, and the engine that is open on it.

A new manifest gets a new engine; the old one closes when its last statement is done. A damaged manifest or data file
makes the newest older manifest that is whole answer instead, and :attr:`Store.warnings` say so.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import RLock

import duckdb

from kandji_queries import history
from kandji_queries.as_of import EVENTS
from kandji_queries.audit_rows import audit_stamp
from kandji_queries.engine import LOCKS, MANNERS, Engine, blank
from kandji_queries.failures import translated
from kandji_queries.history import HistoryDamaged
from kandji_queries.limits import Limits
from kandji_queries.rulebook import Rulebook
from kandji_queries.standby import Standby
from kandji_schema.database import is_readable
from kandji_schema.errors import StoreDamaged
from kandji_schema.manifest import Manifest, data_dir, generations, history_dir, kept, missing_files, nothing_mirrored


class Store:
    """The mirror's files, opened as they are needed. Thread-safe."""

    def __init__(
        self,
        home: Path,
        limits: Limits,
        *,
        lazy: bool,
        standby: bool = False,
        rules: str = "",
        masked: bool = False,
        values_in_errors: bool = True,
        seal: Sequence[str] = LOCKS,
    ) -> None:
        """``lazy`` opens only the files a statement needs, for a process that runs one statement.

        ``standby`` prepares the engine for the next manifest ahead, for a process that answers while others sync.
        ``rules`` is a file of compliance rules, as the setting names it. ``masked`` sees masked files only.
        ``values_in_errors`` is that of :func:`translated`, ``seal`` is :class:`Engine`'s.
        """
        self.warnings: list[str] = []
        self.rules = Rulebook(home, rules)
        self._home = home
        self._limits = limits
        self._lazy = lazy
        self._masked = masked
        self._values_in_errors = values_in_errors
        self._seal = seal
        self._lock = RLock()
        self._listing: list[int] | None = None
        self._manifest: Manifest | None = None
        self._engine: Engine | None = None
        self._blank: duckdb.DuckDBPyConnection | None = None
        self._bad_generations: set[int] = set()
        self._bad_files: set[str] = set()
        self._standby = Standby(partial(self._opened, seal=MANNERS)) if standby else None

    def parser(self) -> duckdb.DuckDBPyConnection:
        """A connection to an engine without data."""
        with self._lock:
            if self._blank is None:
                self._blank = blank(self._limits)
            return self._blank.cursor()

    def manifest(self) -> Manifest:
        """The newest whole manifest; looks at the folder's names each time, at the files when the names changed.

        :class:`NothingMirrored` where there is none, :class:`StoreDamaged` where none is whole.
        """
        with self._lock:
            listing = generations(self._home)
            if self._manifest is None or listing != self._listing:
                self._manifest = self._newest_whole()
                self._listing = listing
            return self._manifest

    @contextmanager
    def engine(self, manifest: Manifest, tables: Collection[str], *, audit: bool = False) -> Iterator[Engine]:
        """An engine that has ``tables`` of ``manifest``; it stays open for the length of the block.

        ``audit`` asks for the audit log as it is now.
        """
        engine = self._lease(manifest, frozenset(tables), audit)
        try:
            with self._our_errors(engine):
                yield engine
        except StoreDamaged as error:
            if EVENTS in engine.tables:
                history.refuse_damaged(manifest.history, history_dir(self._home), error)
            self._distrust(manifest)
            raise
        finally:
            self._release(engine)

    def close(self) -> None:
        """Close what is open; statements still running end with an error."""
        if self._standby is not None:
            self._standby.close()  # not under the lock, which what is being made there may want
        with self._lock:
            for open_one in (self._engine, self._blank):
                if open_one is not None:
                    open_one.close()
            self._engine = self._blank = None

    def _newest_whole(self) -> Manifest:
        troubles: list[str] = []
        for found in kept(self._home):
            entry = found.masked() if self._masked and isinstance(found, Manifest) else found
            trouble = str(entry) if isinstance(entry, StoreDamaged) else self._trouble(entry)
            if not trouble and isinstance(entry, Manifest):
                self.warnings = [*troubles, _fallen_back(entry)] if troubles else []
                return entry
            troubles.append(trouble)
        if not troubles:
            raise nothing_mirrored(self._home)
        raise StoreDamaged(
            f"No state of the mirror is whole. {troubles[0]} Run `kandji-mirror sync --full` to fetch everything anew."
        )

    def _trouble(self, manifest: Manifest) -> str:
        """What is wrong with a manifest's files, or an empty text."""
        named = {state.file for state in manifest.tables.values() if state.file}
        damaged = sorted({*missing_files(self._home, manifest), *(named & self._bad_files)})
        if damaged:
            return f"State {manifest.generation} cannot be used: {', '.join(damaged)} missing, cut or altered."
        return f"State {manifest.generation} cannot be read." if manifest.generation in self._bad_generations else ""

    @contextmanager
    def _our_errors(self, engine: Engine) -> Iterator[None]:
        try:
            yield
        except duckdb.Error as error:
            if isinstance(error, duckdb.FatalException):
                engine.dead = True  # it answers nobody any more
            raise translated(error, values=self._values_in_errors) from error

    def _lease(self, manifest: Manifest, tables: frozenset[str], audit: bool) -> Engine:
        with self._lock:
            current = self._engine
            behind = audit and current is not None and current.audit_stamp != audit_stamp(self._home)
            if current is None or behind or not self._serves(current, manifest, tables):
                current = self._prepared(manifest, tables) or self._opened(manifest, tables, self._seal)
                self._replace(current)
            current.users += 1
            return current

    def _serves(self, engine: Engine, manifest: Manifest, tables: frozenset[str]) -> bool:
        current = not engine.dead and engine.manifest is manifest and engine.stamp == self.rules.stamp()
        return current and tables <= engine.tables

    def _prepared(self, manifest: Manifest, tables: frozenset[str]) -> Engine | None:
        if self._standby is None:
            return None
        with self._distrusting(manifest):
            return self._standby.take(manifest, tables)

    def _opened(self, manifest: Manifest, tables: frozenset[str], seal: Sequence[str]) -> Engine:
        base = self._taken_parser() or blank(self._limits)
        with self._distrusting(manifest):
            return Engine(
                base, manifest, data_dir(self._home), tables, rules=self.rules, seal=seal, masked=self._masked
            )

    @contextmanager
    def _distrusting(self, manifest: Manifest) -> Iterator[None]:
        try:
            yield
        except HistoryDamaged:
            raise  # the tables are whole: their state stays in use
        except StoreDamaged:
            self._distrust(manifest)
            raise

    def _taken_parser(self) -> duckdb.DuckDBPyConnection | None:
        """Where one statement is all there is, the engine that parsed it runs it: starting another takes 20 ms."""
        taken = self._blank if self._lazy else None
        if taken is not None:
            self._blank = None
        return taken

    def _replace(self, engine: Engine) -> None:
        """Let this one answer from now on; the one before closes when its last statement is done."""
        before, self._engine = self._engine, engine
        idle = before if before is not None and before.users == 0 else None
        if self._standby is not None:
            self._standby.prepare(engine.manifest, engine.tables - {EVENTS}, instead_of=idle)
        elif idle is not None:
            idle.close()

    def _release(self, engine: Engine) -> None:
        with self._lock:
            engine.users -= 1
            if engine.users == 0 and engine is not self._engine:
                engine.close()

    def _distrust(self, manifest: Manifest) -> None:
        """Never use this manifest again, nor any other that names one of its damaged files."""
        with self._lock:
            files = {state.name: state.file for state in manifest.tables.values() if state.file}
            folder = data_dir(self._home)
            self._bad_files |= {file for name, file in files.items() if not is_readable(folder / file, [name])}
            self._bad_generations.add(manifest.generation)
            self._manifest = None


def _fallen_back(manifest: Manifest) -> str:
    return (
        f"The answer comes from the older state {manifest.generation}, published "
        f"{manifest.published_at:%Y-%m-%d %H:%M} UTC. `kandji-mirror sync --full` repairs the newest."
    )
