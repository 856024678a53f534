"""Dependencies: the names a statement may use under a manifest, the tables behind each, and those it really uses."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

from kandji_queries import as_of, definitions, thing_words
from kandji_queries.compliance.rule_set import RuleFile
from kandji_queries.guard.statements import Checked, Guard
from kandji_queries.lineage.demand import Demand
from kandji_queries.lineage.keys import keys
from kandji_queries.lineage.past import tables_told
from kandji_queries.lineage.tree import UNREADABLE
from kandji_queries.lineage.view_sources import ViewSources
from kandji_queries.relations import EVENTS, INPUTS, INTERNAL, NAMES, TRACKED
from kandji_schema.derived import derived_columns
from kandji_schema.errors import Failed, Refused, StatementError
from kandji_schema.manifest import Manifest, TableState
from kandji_schema.sql import fold_name


def _columns(state: TableState) -> list[str]:
    stored = _COLUMN.findall(state.ddl[0].partition("(")[2])
    return [*stored, *(column.name for column in derived_columns(state.name))]


_COLUMN = re.compile(r'"([^"]+)"')
"""A name in the statement that makes a table, which quotes them all."""


@dataclass(frozen=True)
class Used:
    """The mirrored tables an answer depends on: those whose state matters to it, and those that date it."""

    judged: frozenset[str]
    dated: frozenset[str]


class Dependencies:
    """Names and what they read. A view is looked into when it is first asked for: that takes milliseconds."""

    def __init__(self, guard: Guard, rules: RuleFile | None = None) -> None:
        """``rules`` are those of compliance, by default the built-in ones."""
        self._guard = guard
        self._rules = rules or RuleFile()
        self._checked = lru_cache(maxsize=64)(self._check)
        self._sources = lru_cache(maxsize=64)(self._view_sources)

    def names(self, manifest: Manifest) -> Collection[str]:
        """Return all tables, then all views."""
        return [*sorted(manifest.tables), *definitions.views()]

    def columns(self, manifest: Manifest) -> Mapping[str, Sequence[str]]:
        """Return the columns of all tables and views by name, also of those whose files are not open."""
        tables = frozenset(manifest.tables)
        found = {name: _columns(state) for name, state in manifest.tables.items()}
        for name in definitions.views():
            with suppress(StatementError):
                found[name] = self._sources(name, tables).columns
        return found

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

    def used(self, manifest: Manifest, checked: Checked, values: Mapping[str, object]) -> Used:
        """Return the mirrored tables on whose rows the answer of a statement depends; when in doubt more.

        ``values`` are those bound to its parameters. None for a statement that asks for names alone.
        """
        if checked.kind == "show":
            return Used(frozenset(), frozenset())
        try:
            sources = self._used_sources(manifest, checked, values)
        except UNREADABLE:
            sources = frozenset(checked.tables)
        return Used(self.judged(manifest, sources), self.dated(manifest, sources))

    def _used_sources(self, manifest: Manifest, checked: Checked, values: Mapping[str, object]) -> frozenset[str]:
        """Return the names that stand behind what is asked for: of a view only what those columns take."""
        tables = frozenset(manifest.tables)
        demand = checked.demand
        bound = {fold_name(name): value for name, value in values.items()}
        found: set[str] = set()
        for name in checked.tables:
            sources = self._sources_of(name, tables, demand)
            told = tables_told(checked.tree, name, bound, demand) if TRACKED in sources else None
            found |= sources if told is None else sources - {TRACKED} | told & tables
        return frozenset(found)

    def _sources_of(self, name: str, tables: frozenset[str], demand: Demand) -> frozenset[str]:
        """Return a table itself, of a view what stands behind the columns that are asked for."""
        if not self._is_view(name, tables):
            return frozenset({name})
        return self._sources(name, tables).behind(lambda column: demand.asks(name, column))

    def _is_view(self, name: str, tables: frozenset[str]) -> bool:
        return name in definitions.views() and name not in tables

    def _view_sources(self, name: str, tables: frozenset[str]) -> ViewSources:
        return ViewSources(self._checked(name, tables).tree, keys())

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

    def _reads(self, name: str, tables: frozenset[str]) -> tuple[str, ...]:
        return self._checked(name, tables).tables if self._is_view(name, tables) else ()

    def _check(self, name: str, tables: frozenset[str]) -> Checked:
        try:
            return self._guard.check(definitions.views()[name].sql, {*tables, *definitions.views(), *INTERNAL})
        except Refused as error:
            raise Failed(
                f"The view {name} needs a table that is not mirrored here yet. Run `kandji-mirror sync`."
            ) from error
