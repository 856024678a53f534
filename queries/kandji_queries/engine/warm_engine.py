"""The next engine, prepared while nobody waits.

To open one takes a fifth of a second, nearly all of it for what a new manifest leaves as it is. One that is prepared
and not sealed follows to a new manifest in milliseconds; no statement of anyone's runs on it before it is sealed.
"""

from collections.abc import Callable, Collection
from contextlib import suppress
from threading import Event, Lock, Thread

import duckdb

from kandji_queries.engine.lockdown import CLOSE_ESCAPE_HATCHES
from kandji_queries.engine.query_engine import QueryEngine
from kandji_schema.errors import MirrorError
from kandji_schema.manifest import Manifest


class WarmEngine:
    """At most one engine in waiting. Thread-safe."""

    def __init__(self, open_engine: Callable[[Manifest, frozenset[str]], QueryEngine], pause: float = 0.0) -> None:
        """``open_engine`` makes an engine with :data:`BASE_SETTINGS`, whose escape hatches are open still.

        Each is begun after a ``pause`` of seconds: whoever asks right after a publish is not to share the processor.
        """
        self._open = open_engine
        self._pause = pause
        self._ending = Event()
        self._lock = Lock()
        self._ready: QueryEngine | None = None
        self._thread: Thread | None = None
        self._closed = False

    def take(self, manifest: Manifest, tables: Collection[str]) -> QueryEngine | None:
        """Return the engine in waiting, at this manifest and sealed; None where there is none that will do.

        :class:`StoreDamaged` where a data file cannot be opened.
        """
        with self._lock:
            engine, self._ready = self._ready, None
        if engine is None:
            return None
        try:
            if engine.tables >= frozenset(tables) and engine.follow(manifest):
                engine.seal(CLOSE_ESCAPE_HATCHES)
                return engine
        except BaseException:
            engine.close()
            raise
        engine.close()
        return None

    def prepare(self, manifest: Manifest, tables: Collection[str], instead_of: QueryEngine | None = None) -> None:
        """Have one soon, without waiting for it; one that waits already will do, since it follows.

        ``instead_of`` is an engine nobody uses any more: it is closed.
        """
        with self._lock:
            if self._thread is None and self._ready is None and not self._closed:
                # No daemon: DuckDB would abort the process that ends under it.
                self._thread = Thread(target=self._warm_up, args=(manifest, frozenset(tables), instead_of), name="warm")
                self._thread.start()
                return
        if instead_of is not None:
            instead_of.close()

    def close(self) -> None:
        """Close what waits, also what is being made."""
        with self._lock:
            self._closed = True
            self._ending.set()
            thread = self._thread
        if thread is not None:
            thread.join()
        if self._ready is not None:
            self._ready.close()

    def _warm_up(self, manifest: Manifest, tables: frozenset[str], instead_of: QueryEngine | None) -> None:
        engine = None
        try:
            if instead_of is not None:
                instead_of.close()
            if self._ending.wait(self._pause):
                return
            with suppress(MirrorError, duckdb.Error, OSError):  # whoever asks next meets the trouble and tells it
                engine = self._open(manifest, tables)
        finally:
            with self._lock:
                self._thread = None
                spare, self._ready = self._ready, engine
        if spare is not None:
            spare.close()
