"""An in-memory DuckDB that sees one manifest's files, read-only, and nothing else, locked down before anyone's SQL."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from threading import Lock

import duckdb

from kandji_queries import as_of, currency, definitions, thing_words
from kandji_queries.compliance.rule_set import RuleFile
from kandji_queries.engine.lockdown import ARROW_LAMBDAS, LOCKDOWN, refuse_escapes
from kandji_queries.relations import (
    AUDIT_LOG,
    BY_THING,
    CURRENCY,
    EVENTS,
    INPUTS,
    TRACKED,
    add_audit,
    add_states,
    audit_stamp,
    renew_states,
)
from kandji_schema.derived import EXTRA, DerivedColumn, derivations, derived_columns, with_derived
from kandji_schema.errors import ConfigurationError, Failed, MirrorError, NotMasked, StoreDamaged
from kandji_schema.manifest import Manifest, TableState, history_dir
from kandji_schema.sql import identifier, literal
from kandji_schema.utc import in_seconds


class QueryEngine:
    """One manifest, opened. ``tables`` are the names it holds.

    ``broken`` are tables and views among them that cannot be asked, with the reason: there is no masked file of a
    table, a data file was written by an older version and lacks a column, or the rules of compliance are wrong.
    """

    def __init__(
        self,
        base: duckdb.DuckDBPyConnection,
        manifest: Manifest,
        folder: Path,
        tables: Collection[str],
        *,
        rules: RuleFile | None = None,
        seal: Sequence[str] = LOCKDOWN,
        masked: bool = False,
    ) -> None:
        """Take over ``base``, an empty engine. :class:`StoreDamaged` where a data file cannot be opened.

        ``folder`` holds the data files; ``tables`` are names of tables and views, what they need included. ``rules``
        are those of compliance, by default the built-in ones. ``seal`` ends the preparation: nothing but statements of
        our own may run on an engine with another one. ``masked`` leaves people out of the audit log.
        """
        self.manifest = manifest
        self.folder = folder
        self.tables = frozenset(tables)
        self.broken: dict[str, MirrorError] = {}
        self._flagged: tuple[str | None, tuple[int, int]] = (None, (0, 0))
        self._lock = Lock()
        self._past: dict[str, datetime] = {}
        self._base = base
        self._masked = masked
        self._rules = rules or RuleFile()
        self.rules_stamp = self._rules.stamp()
        self.audit_stamp = audit_stamp(self.home)
        try:
            self._fill()
            self.seal(seal)
        except BaseException:
            base.close()
            raise

    @property
    def home(self) -> Path:
        """The data directory."""
        return self.folder.parent.parent

    def seal(self, statements: Sequence[str] = LOCKDOWN) -> None:
        """End the preparation; an engine that was made without may be sealed later."""
        for statement in statements:
            self._base.execute(statement)

    def follow(self, manifest: Manifest) -> bool:
        """Bring an engine that is not sealed yet to another manifest; False where that takes a new one.

        Only tables with another data file or state are touched. :class:`StoreDamaged` as when it is made.
        """
        if not self._can_follow(manifest):
            return False
        moved = [s for name, s in manifest.tables.items() if s != self.manifest.tables[name]]
        for state in moved:
            if state.file != self.manifest.tables[state.name].file and state.name in self.tables:
                self._base.execute(f"DETACH {identifier(store_name(state.name))}")
                self._attach(state)
        if moved:
            renew_states(self._base, moved)
        self.manifest = manifest
        return True

    def refuse_broken(self, names: Collection[str]) -> None:
        """Raise the reason why a table or view cannot be asked; of views that read others the innermost's."""
        for name, reason in self.broken.items():
            if name in names:
                raise reason

    def refuse_escapes(self) -> None:
        """Try the known ways out of this engine; :class:`StoreError` if one works."""
        stored = next((s for s in self.manifest.tables.values() if s.file and s.name in self.tables), None)
        table, file = (stored.name, self.folder / str(stored.file)) if stored else (None, None)
        refuse_escapes(self.cursor, self.folder, table, file)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Open a connection for one statement, inside a read-only transaction; close it afterwards."""
        cursor = self.session()
        cursor.execute("BEGIN TRANSACTION READ ONLY")
        return cursor

    def session(self) -> duckdb.DuckDBPyConnection:
        """Open a connection for statements of our own, outside of any transaction; close it afterwards."""
        with self._lock:
            return self._base.cursor()

    def columns_of(self, table: str) -> list[str]:
        """Return the names of the columns of a table or view; none where there is no such one here."""
        with self.cursor() as cursor:
            try:
                return [name for name, *_ in cursor.execute(f"DESCRIBE main.{identifier(table)}").fetchall()]
            except duckdb.Error:
                return []  # EVENTS, or a view that cannot be made

    def as_of(self, tables: Collection[str]) -> dict[str, str | None]:
        """Return for each mirrored table of ``tables`` when its rows were read, ``2026-11-20T12:00:00Z``."""
        states = (self.manifest.tables[name] for name in tables if name in self.manifest.tables)
        return {state.name: in_seconds(state.synced_at) for state in states}

    @property
    def flagged_devices(self) -> tuple[int, int]:
        """Number of devices that are removed, and missing; counted once for each data file."""
        file = self.manifest.tables["devices"].file
        if self._flagged[0] != file:
            counted = [(0, 0)]
            with self.cursor() as cursor, suppress(duckdb.Error):  # of an older version, without these columns
                counted = cursor.execute(_FLAGGED).fetchall()
            self._flagged = (file, counted[0])
        return self._flagged[1]

    def known_since(self) -> dict[str, datetime]:
        """Return for each table with history since when it is whole, the latest first; it must be open here."""
        with self.cursor() as cursor:
            found = cursor.execute(
                f"SELECT table_name, since FROM {TRACKED} ORDER BY since DESC, table_name"
            ).fetchall()
        return dict(found)

    def close(self) -> None:
        """End it; cursors that are still open stop working."""
        self._base.close()

    def _fill(self) -> None:
        for macro in definitions.macros().values():
            self._base.execute(macro.sql)
        for name, state in self.manifest.tables.items():
            if name in self.tables:
                self._add_table(state)
        add_states(self._base, self.manifest.tables.values())
        self._add_history()
        self._add_audit()
        for view in definitions.views().values():
            if view.name in self.tables:
                self._add_view(view)
        with suppress(duckdb.Error):  # DuckDB means to drop the setting some day
            self._base.execute(ARROW_LAMBDAS)

    def _add_table(self, state: TableState) -> None:
        if state.name in self.manifest.withheld:
            self.broken[state.name] = NotMasked(state.name)
        if state.file is None:
            self._base.execute(state.ddl[0])  # the dictionary reads its comments there: executed they take 0.3 s
            self._widen(state.name)
            return
        self._attach(state)
        self._show(state)

    def _attach(self, state: TableState) -> None:
        """Open a table's data file; views find it by its name."""
        path = literal(self.folder / str(state.file))
        with self._whole(state):
            self._base.execute(f"ATTACH {path} AS {identifier(store_name(state.name))} (READ_ONLY)")

    def _show(self, state: TableState) -> None:
        """Make the view of a data file's table, with what is derived of it."""
        table = identifier(state.name)
        stored, made = f"{identifier(store_name(state.name))}.main.{table}", f"CREATE VIEW main.{table} AS"
        found = derivations(state.name)
        with self._whole(state):
            try:
                self._base.execute(f"{made} {with_derived(stored, found)}")
            except duckdb.BinderException:
                self._base.execute(f"{made} {with_derived(stored, self._derivable(stored, found))}")

    @contextmanager
    def _whole(self, state: TableState) -> Iterator[None]:
        """Have what the engine says of a data file mean that it is damaged."""
        try:
            yield
        except duckdb.Error as error:
            raise StoreDamaged(f"The data file {state.file} cannot be opened.") from error

    def _widen(self, name: str) -> None:
        """Give a table that was never synced its derived columns: there is nothing to derive them of."""
        table, derived = f"main.{identifier(name)}", derived_columns(name)
        changes = [f"ADD COLUMN {identifier(column.name)} {column.type}" for column in derived]
        for change in (f"DROP IF EXISTS {EXTRA}", *changes, f"ADD COLUMN {EXTRA} JSON") if derived else ():
            self._base.execute(f"ALTER TABLE {table} {change}")

    def _derivable(self, stored: str, found: Sequence[DerivedColumn]) -> Sequence[DerivedColumn]:
        """Return derived columns, empty where a data file of an older version lacks what one is made of.

        None where it lacks what every table ends with.
        """
        made: list[DerivedColumn] = []
        for one in found:
            made.append(one if self._can_be_made(stored, [*made, one]) else one.unknown)
        return made if self._can_be_made(stored, made) else ()

    def _can_be_made(self, stored: str, found: Sequence[DerivedColumn]) -> bool:
        try:
            self._base.execute(f"DESCRIBE {with_derived(stored, found)}")
        except duckdb.BinderException:
            return False
        return True

    def _add_history(self) -> None:
        """Open the segments where they are wanted; for views that are only looked at make what would be in them."""
        segments = self.manifest.history
        if not segments or EVENTS not in self.tables:
            if as_of.history_views() & self.tables:
                as_of.add_empty(self._base)
                thing_words.add(self._base, (), self._open_types)
            return
        as_of.add(self._base, segments, history_dir(self.home))
        thing_words.add(self._base, segments[-1].tables, self._open_types)
        for past in as_of.table_histories(self._base, self._open_types):
            self._base.execute(past.function)
            self._past[past.table] = past.since

    def _add_audit(self) -> None:
        if AUDIT_LOG not in self.tables:
            return
        try:
            add_audit(self._base, self.home, masked=self._masked)
        except MirrorError as error:
            self.broken[AUDIT_LOG] = error

    def _add_view(self, view: definitions.View) -> None:
        """Make a view; a file written before a column existed must not take everything else down with it."""
        try:
            if INPUTS in view.sql:
                self._add_rules()
            self._base.execute(f"CREATE VIEW main.{identifier(view.name)} AS {view.sql}")
            if view.name == BY_THING:
                thing_words.add_between(self._base, view.sql)
            if view.name == CURRENCY:
                currency.add_as_of(self._base, view.sql, self._past)
        except (duckdb.BinderException, duckdb.CatalogException):
            self.broken[view.name] = Failed(
                f"The view {view.name} needs columns that were not mirrored yet when its tables were written. "
                "Run `kandji-mirror sync --full`."
            )
        except ConfigurationError as error:
            self.broken[view.name] = error

    def _add_rules(self) -> None:
        from kandji_queries.compliance.relations import statements  # only for statements that ask about compliance

        for statement in statements(self._rules.rules(), self._types):
            self._base.execute(statement)

    def _types(self, table: str) -> dict[str, str] | None:
        """Return the types of a mirrored table's columns by name; None where it is not here."""
        if table not in self.manifest.tables:
            return None
        described = self._base.execute(f"DESCRIBE main.{identifier(table)}").fetchall()
        return {name: kind for name, kind, *_ in described}

    def _open_types(self, table: str) -> dict[str, str] | None:
        return self._types(table) if table in self.tables else None

    def _can_follow(self, manifest: Manifest) -> bool:
        """Tell whether there are the same tables with the same columns, and the same of all that is no table."""
        before, after = self.manifest.tables, manifest.tables
        same_tables = before.keys() == after.keys() and all(_alike(before[name], after[name]) for name in before)
        same_past = EVENTS not in self.tables or manifest.history == self.manifest.history
        same_audit = AUDIT_LOG not in self.tables or audit_stamp(self.home) == self.audit_stamp
        same_rules = self._rules.stamp() == self.rules_stamp
        return same_tables and same_past and same_audit and same_rules and manifest.withheld == self.manifest.withheld


_FLAGGED = "SELECT count(*) FILTER (is_removed), count(*) FILTER (is_missing) FROM main.devices"


def store_name(table: str) -> str:
    """Return the name under which a table's data file is attached."""
    return f"stored_{table}"


def _alike(before: TableState, after: TableState) -> bool:
    """Tell whether a view of one state's file can show the other's."""
    return before.ddl == after.ddl and bool(before.file) == bool(after.file)
