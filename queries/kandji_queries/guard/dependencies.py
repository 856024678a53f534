"""Dependencies: the names a statement may use under a manifest, and the tables and views behind each."""

from collections.abc import Collection, Iterable
from functools import lru_cache

from kandji_queries import as_of, definitions
from kandji_queries.compliance.rule_set import RuleFile
from kandji_queries.guard.statements import Guard
from kandji_queries.relations import EVENTS, INPUTS, INTERNAL, TRACKED
from kandji_schema.errors import Failed, Refused
from kandji_schema.manifest import Manifest


class Dependencies:
    """Names and what they read. A view is looked into when it is first asked for: that takes milliseconds."""

    def __init__(self, guard: Guard, rules: RuleFile | None = None) -> None:
        """``rules`` are those of compliance, by default the built-in ones."""
        self._guard = guard
        self._rules = rules or RuleFile()
        self._reads = lru_cache(maxsize=64)(self._read)

    def names(self, manifest: Manifest) -> Collection[str]:
        """Return all tables, then all views."""
        return [*sorted(manifest.tables), *definitions.views()]

    def tables(self, manifest: Manifest, names: Iterable[str]) -> frozenset[str]:
        """Return the mirrored tables behind some names; a table is behind itself. Raises as :meth:`behind`."""
        return self.behind(manifest, names) & manifest.tables.keys()

    def behind(self, manifest: Manifest, names: Iterable[str]) -> frozenset[str]:
        """Return the names with all tables and views it takes to answer them; :data:`EVENTS` where it takes history.

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
                waiting.extend(as_of.functions(manifest).values())
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
