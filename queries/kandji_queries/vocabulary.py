"""The names a statement may use under a manifest, and what is behind each."""

from collections.abc import Collection, Iterable
from functools import lru_cache

from kandji_queries import definitions
from kandji_queries.as_of import EVENTS
from kandji_queries.audit_rows import ROWS
from kandji_queries.guard import Guard
from kandji_queries.history import TRACKED, macros
from kandji_queries.rulebook import INPUTS, RULES, Rulebook
from kandji_queries.states import STATES
from kandji_schema.errors import Failed, Refused
from kandji_schema.manifest import Manifest

INTERNAL = frozenset({STATES, RULES, INPUTS, EVENTS, TRACKED, ROWS})
"""Relations that only views of ours read."""


class Vocabulary:
    """Names and what they read. A view is looked into when it is first asked for: that takes milliseconds."""

    def __init__(self, guard: Guard, rules: Rulebook | None = None) -> None:
        """``rules`` are those of compliance, by default the built-in ones."""
        self._guard = guard
        self._rules = rules or Rulebook()
        self._reads = lru_cache(maxsize=64)(self._read)

    def names(self, manifest: Manifest) -> Collection[str]:
        """All tables, then all views."""
        return [*sorted(manifest.tables), *definitions.views()]

    def tables(self, manifest: Manifest, names: Iterable[str]) -> frozenset[str]:
        """The mirrored tables behind some names; a table is behind itself. Raises as :meth:`behind`."""
        return self.behind(manifest, names) & manifest.tables.keys()

    def behind(self, manifest: Manifest, names: Iterable[str]) -> frozenset[str]:
        """The names with all tables and views it takes to answer them, and :data:`EVENTS` where it takes history.

        :class:`Failed` for a view that needs a table this mirror does not have, :class:`ConfigurationError` where the
        rules of compliance are wrong.
        """
        tables = frozenset(manifest.tables)
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name == INPUTS:
                waiting.extend(self._rules.rules().tables & tables)
            elif name == TRACKED:
                waiting.extend(macros(manifest).values())
            elif name not in found:
                found.add(name)
                waiting.extend(self._reads(name, tables))
        return frozenset(found - INTERNAL | found & {EVENTS})

    def _read(self, name: str, tables: frozenset[str]) -> tuple[str, ...]:
        view = definitions.views().get(name)
        if view is None or name in tables:
            return ()
        try:
            return self._guard.check(view.sql, {*tables, *definitions.views(), *INTERNAL}).tables
        except Refused as error:
            raise Failed(
                f"The view {name} needs a table that is not mirrored here yet. Run `kandji-mirror sync`."
            ) from error
