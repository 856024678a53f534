"""Dependencies: the names a statement may use under a manifest, and the tables and views behind each."""

from collections.abc import Collection, Iterable
from functools import lru_cache

from kandji_queries import as_of, definitions, thing_words
from kandji_queries.compliance.rule_set import RuleFile
from kandji_queries.guard.statements import Guard
from kandji_queries.relations import EVENTS, INPUTS, INTERNAL, NAMES, TRACKED
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
        return self._reached(manifest, names)

    def opened(self, manifest: Manifest, names: Iterable[str]) -> frozenset[str]:
        """Return what has to be open to answer them: of tables with history only those that are named."""
        return self._reached(manifest, names, past=frozenset({TRACKED}))

    def judged(self, manifest: Manifest, names: Iterable[str]) -> frozenset[str]:
        """Return the mirrored tables whose state matters to an answer; where names are looked up it does not."""
        return self._reached(manifest, names, past=frozenset({NAMES})) & manifest.tables.keys()

    def dated(self, manifest: Manifest, names: Iterable[str]) -> frozenset[str]:
        """Return the mirrored tables that date an answer.

        What changed is told of all tables with history: the one that was read longest ago stands for the others.
        """
        asked = [*names]
        found = self._reached(manifest, asked, past=frozenset({TRACKED, NAMES})) & manifest.tables.keys()
        past = [manifest.tables[name] for name in self.judged(manifest, asked) - found]
        oldest = min(past, key=lambda state: (state.synced_at is not None, state.synced_at, state.name), default=None)
        return found if oldest is None else found | {oldest.name}

    def _reached(self, manifest: Manifest, names: Iterable[str], past: frozenset[str] = frozenset()) -> frozenset[str]:
        """Return the names with all behind them; ``past`` are relations of history that are not looked behind."""
        tables = frozenset(manifest.tables)
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name in past:
                continue
            if name == INPUTS:
                waiting.extend(self._rules.rules().tables & tables)
            elif name == NAMES:
                waiting.extend(thing_words.named_tables() & tables)
            elif name == TRACKED:
                waiting.extend(as_of.tracked_tables(manifest))
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
