"""Which manifest answers, and the engine that is open on it, lent to one statement after the other.

A new manifest gets a new engine; the old one closes when its last statement is done. A damaged manifest or data file
makes the newest older manifest that is whole answer instead, and :attr:`EnginePool.warnings` say so.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Lock, RLock

import duckdb

from kandji_queries import as_of
from kandji_queries.compliance.rule_set import RuleFile
from kandji_queries.engine.errors import translated
from kandji_queries.engine.limits import QueryLimits
from kandji_queries.engine.lockdown import BASE_SETTINGS, LOCKDOWN, empty_engine
from kandji_queries.engine.query_engine import QueryEngine
from kandji_queries.engine.warm_engine import WarmEngine
from kandji_queries.relations import EVENTS, audit_stamp
from kandji_schema.database import is_readable
from kandji_schema.errors import StoreDamaged
from kandji_schema.manifest import Manifest, data_dir, generations, history_dir, kept, missing_files, nothing_mirrored

PAUSE = 0.7
"""Seconds after one engine began to answer until the next one is prepared."""


class EnginePool:
    """The mirror's files, opened as they are needed. Thread-safe."""

    def __init__(
        self,
        home: Path,
        limits: QueryLimits,
        *,
        lazy: bool,
        warm: bool = False,
        rules: str = "",
        masked: bool = False,
        values_in_errors: bool = True,
        seal: Sequence[str] = LOCKDOWN,
    ) -> None:
        """``lazy`` opens only the files a statement needs, for a process that runs one statement.

        ``warm`` prepares the engine for the next manifest ahead, for a process that answers while others sync.
        ``rules`` is a file of compliance rules, as the setting names it. ``masked`` sees masked files only.
        ``values_in_errors`` is that of :func:`translated`, ``seal`` is :class:`QueryEngine`'s.
        """
        self.warnings: list[str] = []
        self.rules = RuleFile(home, rules)
        self._home = home
        self._limits = limits
        self._lazy = lazy
        self._masked = masked
        self._values_in_errors = values_in_errors
        self._seal = seal
        self._lock = RLock()
        self._opening = {False: Lock(), True: Lock()}
        self._listing: list[int] | None = None
        self._manifest: Manifest | None = None
        self._engine: QueryEngine | None = None
        self._users: Counter[QueryEngine] = Counter()
        self._parser: duckdb.DuckDBPyConnection | None = None
        self._bad_generations: set[int] = set()
        self._bad_files: set[str] = set()
        self._warm = WarmEngine(partial(self._opened, seal=BASE_SETTINGS), PAUSE) if warm else None

    def parser(self) -> duckdb.DuckDBPyConnection:
        """Return a connection to an engine without data."""
        with self._lock:
            if self._parser is None:
                self._parser = empty_engine(self._limits)
            return self._parser.cursor()

    def manifest(self) -> Manifest:
        """Return the newest whole manifest; looks at the folder's names each time, at the files when these changed.

        :class:`NothingMirrored` where there is none, :class:`StoreDamaged` where none is whole.
        """
        with self._lock:
            listing = generations(self._home)
            if self._manifest is None or listing != self._listing:
                self._manifest = self._newest_whole()
                self._listing = listing
            return self._manifest

    @contextmanager
    def engine(self, manifest: Manifest, tables: Collection[str], *, audit: bool = False) -> Iterator[QueryEngine]:
        """Lend an engine that has ``tables`` of ``manifest``; it stays open for the length of the block.

        ``audit`` asks for the audit log as it is now.
        """
        engine = self._lend(manifest, frozenset(tables), audit)
        try:
            with self._our_errors(engine):
                yield engine
        except StoreDamaged as error:
            if EVENTS in engine.tables:
                as_of.refuse_damaged(manifest.history, history_dir(self._home), error)
            self._distrust(manifest)
            raise
        finally:
            self._take_back(engine)

    def close(self) -> None:
        """Close what is open; statements still running end with an error."""
        if self._warm is not None:
            self._warm.close()  # not under the lock, which what is being made there may want
        with self._lock:
            for open_one in (self._engine, self._parser):
                if open_one is not None:
                    open_one.close()
            self._engine = self._parser = None

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
        """Say what is wrong with a manifest's files; empty when nothing is."""
        named = {state.file for state in manifest.tables.values() if state.file}
        damaged = sorted({*missing_files(self._home, manifest), *(named & self._bad_files)})
        if damaged:
            return f"State {manifest.generation} cannot be used: {', '.join(damaged)} missing, cut or altered."
        return f"State {manifest.generation} cannot be read." if manifest.generation in self._bad_generations else ""

    @contextmanager
    def _our_errors(self, engine: QueryEngine) -> Iterator[None]:
        try:
            yield
        except duckdb.Error as error:
            if isinstance(error, duckdb.FatalException):
                self._give_up(engine)
            raise translated(error, values=self._values_in_errors) from error

    def _lend(self, manifest: Manifest, tables: frozenset[str], audit: bool) -> QueryEngine:
        """Lend the engine that is open, or open one, for which nobody waits whom the open one serves."""
        if (found := self._lent(manifest, tables, audit)) is not None:
            return found
        with self._opening[EVENTS in tables]:  # with history it takes longer, and most do not ask for it
            if (found := self._lent(manifest, tables, audit)) is not None:
                return found  # another opened it meanwhile
            opened = self._warmed(manifest, tables) or self._opened(manifest, tables, self._seal)
            with self._lock:
                if (found := self._lent(manifest, tables, audit)) is None:
                    self._users[opened] += 1
                    if manifest is self._manifest or self._engine is None:  # else others are at a newer one
                        self._replace(opened)
                    return opened
            opened.close()  # one that has more was opened meanwhile
            return found

    def _lent(self, manifest: Manifest, tables: frozenset[str], audit: bool) -> QueryEngine | None:
        with self._lock:
            current = self._engine
            if current is None or not self._serves(current, manifest, tables, audit):
                return None
            self._users[current] += 1
            return current

    def _serves(self, engine: QueryEngine, manifest: Manifest, tables: frozenset[str], audit: bool) -> bool:
        if audit and engine.audit_stamp != audit_stamp(self._home):
            return False
        current = engine.manifest is manifest and engine.rules_stamp == self.rules.stamp()
        return current and tables <= engine.tables

    def _warmed(self, manifest: Manifest, tables: frozenset[str]) -> QueryEngine | None:
        if self._warm is None or EVENTS in tables:  # what waits has no history, and is kept for who wants none
            return None
        with self._distrusting(manifest):
            return self._warm.take(manifest, tables)

    def _opened(self, manifest: Manifest, tables: frozenset[str], seal: Sequence[str]) -> QueryEngine:
        base = self._taken_parser() or empty_engine(self._limits)
        with self._distrusting(manifest):
            return QueryEngine(
                base, manifest, data_dir(self._home), tables, rules=self.rules, seal=seal, masked=self._masked
            )

    @contextmanager
    def _distrusting(self, manifest: Manifest) -> Iterator[None]:
        try:
            yield
        except as_of.HistoryDamaged:
            raise  # the tables are whole: their state stays in use
        except StoreDamaged:
            self._distrust(manifest)
            raise

    def _taken_parser(self) -> duckdb.DuckDBPyConnection | None:
        """Hand over the engine that parsed, where one statement is all there is: starting another takes 20 ms."""
        with self._lock:
            taken = self._parser if self._lazy else None
            if taken is not None:
                self._parser = None
            return taken

    def _replace(self, engine: QueryEngine) -> None:
        """Let this one answer from now on; the one before closes when its last statement is done."""
        before, self._engine = self._engine, engine
        idle = before if before is not None and not self._users[before] else None
        if self._warm is not None:
            self._warm.prepare(engine.manifest, engine.tables - {EVENTS}, instead_of=idle)
        elif idle is not None:
            idle.close()

    def _take_back(self, engine: QueryEngine) -> None:
        with self._lock:
            self._users[engine] -= 1
            if not self._users[engine]:
                del self._users[engine]
                if engine is not self._engine:
                    engine.close()

    def _give_up(self, engine: QueryEngine) -> None:
        """Lend an engine that DuckDB gave up to nobody any more."""
        with self._lock:
            if self._engine is engine:
                self._engine = None

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
