"""The names a statement may use under a manifest, and the mirrored tables behind each."""

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache

from kandji_queries import definitions
from kandji_queries.engine import STATES
from kandji_queries.guard import Guard
from kandji_schema.errors import Refused
from kandji_schema.manifest import Manifest


class Vocabulary:
    """Names and what they read; worked out once for each set of tables."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._behind = lru_cache(maxsize=2)(self._read)

    def names(self, manifest: Manifest) -> Collection[str]:
        """All tables, and the views whose tables are all there."""
        return self.behind(manifest).keys()

    def behind(self, manifest: Manifest) -> Mapping[str, frozenset[str]]:
        """For each name the mirrored tables it reads; a table reads itself."""
        return self._behind(frozenset(manifest.tables))

    def tables(self, manifest: Manifest, names: Iterable[str]) -> frozenset[str]:
        """The mirrored tables behind some names."""
        return frozenset[str]().union(*(self.behind(manifest)[name] for name in names))

    def _read(self, tables: frozenset[str]) -> dict[str, frozenset[str]]:
        views = {view.name: self._reads(view.sql, tables) for view in definitions.views().values()}
        found = {name: reads for name, reads in views.items() if reads is not None}
        return {name: frozenset({name}) for name in sorted(tables)} | found

    def _reads(self, sql: str, tables: frozenset[str]) -> frozenset[str] | None:
        try:
            return frozenset(self._guard.check(sql, {*tables, STATES}).tables) - {STATES}
        except Refused:
            return None  # it needs a table that this mirror does not have
