"""The second fence: an in-memory DuckDB that sees one manifest's files, read-only, and nothing else.

``read_only`` alone does not stop writing (a SELECT can hold a COPY), and ``enable_external_access=false`` still leaves
the attached files open for writing. So the files are attached read-only, then external access goes, then the local
file system itself, then the configuration is locked. On top every statement runs in a read-only transaction, because
the in-memory catalog that holds the views would take new ones.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

import duckdb

from kandji_queries import definitions, history
from kandji_queries.as_of import EVENTS
from kandji_queries.audit_rows import VIEW as AUDIT
from kandji_queries.audit_rows import add_audit, audit_stamp
from kandji_queries.limits import Limits
from kandji_queries.rulebook import INPUTS, Rulebook
from kandji_queries.states import add_states, renew_states
from kandji_schema import database
from kandji_schema.errors import ConfigurationError, Failed, MirrorError, NotMasked, StoreDamaged
from kandji_schema.manifest import Manifest, TableState, history_dir

CONFIG: Mapping[str, str | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "allow_unsigned_extensions": False,
    "allow_persistent_secrets": False,
    "python_enable_replacements": False,
    "python_scan_all_frames": False,
    "temp_directory": "",
    "max_temp_directory_size": "0B",
}
"""Settings that are only, or best, made when the engine starts."""

ARROWS = "SET GLOBAL lambda_syntax='ENABLE_SINGLE_ARROW'"
"""``x -> x + 1`` is what models write; it works beside ``lambda x: x + 1`` and the arrows of JSON."""

MANNERS = (
    "SET allow_extension_repositories='forbidden'",
    "SET enable_external_file_cache=false",
    "SET enable_progress_bar=false",  # it would write to stdout
    "SET pivot_limit=1000",
)
"""With these alone data files can still be opened."""

DOORS = (
    "SET enable_external_access=false",
    "SET disabled_filesystems='LocalFileSystem'",
    "SET lock_configuration=true",
)
"""The order is part of it: after the second nothing opens files, after the last nothing changes settings."""

LOCKS = (*MANNERS, *DOORS)


def blank(limits: Limits) -> duckdb.DuckDBPyConnection:
    """An engine without data: good for parsing, and what :class:`Engine` is made from."""
    return database.connect(
        ":memory:", config={**CONFIG, "memory_limit": f"{limits.memory_mb}MB", "threads": limits.threads}
    )


class Engine:
    """One manifest, opened. ``tables`` are the names it holds; ``dead`` is set when DuckDB gave it up.

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
        rules: Rulebook | None = None,
        seal: Sequence[str] = LOCKS,
        masked: bool = False,
    ) -> None:
        """Take over ``base``, a blank engine. :class:`StoreDamaged` where a data file cannot be opened.

        ``folder`` holds the data files; ``tables`` are names of tables and views, what they need included. ``rules``
        are those of compliance, by default the built-in ones. ``seal`` ends the preparation: nothing but statements of
        our own may run on an engine with another one. ``masked`` leaves people out of the audit log.
        """
        self.manifest = manifest
        self.folder = folder
        self.tables = frozenset(tables)
        self.broken: dict[str, MirrorError] = {}
        self.users = 0
        self.dead = False
        self._lock = Lock()
        self._base = base
        self._masked = masked
        self._rules = rules or Rulebook()
        self.stamp = self._rules.stamp()
        self.audit_stamp = audit_stamp(self.home)
        try:
            self._fill()
            self.seal(seal)
        except BaseException:
            base.close()
            raise

    def _fill(self) -> None:
        states = [state for name, state in self.manifest.tables.items() if name in self.tables]
        for state in states:
            self._add_table(state)
        for macro in definitions.macros().values():
            self._base.execute(macro.sql)
        add_states(self._base, self.manifest.tables.values())
        self._add_history()
        self._add_audit()
        for view in definitions.views().values():
            if view.name in self.tables:
                self._add_view(view)
        with suppress(duckdb.Error):  # DuckDB means to drop the setting some day
            self._base.execute(ARROWS)

    def seal(self, statements: Sequence[str] = LOCKS) -> None:
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
                self._base.execute(f"DETACH {_quoted(store_name(state.name))}")
                self._attach(state)
        if moved:
            renew_states(self._base, moved)
        self.manifest = manifest
        return True

    def _can_follow(self, manifest: Manifest) -> bool:
        """Whether there are the same tables with the same columns, and the same of everything that is no table."""
        before, after = self.manifest.tables, manifest.tables
        same_tables = before.keys() == after.keys() and all(_alike(before[name], after[name]) for name in before)
        same_past = EVENTS not in self.tables or manifest.history == self.manifest.history
        same_audit = AUDIT not in self.tables or audit_stamp(self.home) == self.audit_stamp
        same_rules = self._rules.stamp() == self.stamp
        return same_tables and same_past and same_audit and same_rules and manifest.withheld == self.manifest.withheld

    def _add_table(self, state: TableState) -> None:
        if state.name in self.manifest.withheld:
            self.broken[state.name] = NotMasked(state.name)
        if state.file is None:
            self._base.execute(";\n".join(["BEGIN", *state.ddl, "COMMIT"]))  # one transaction: half the time
            return
        self._attach(state, f"CREATE VIEW main.{_quoted(state.name)} AS FROM {_stored(state.name)}")

    def _attach(self, state: TableState, *then: str) -> None:
        """Open a table's data file; views find it by its name. ``then`` are statements that need it."""
        path = _literal(str(self.folder / str(state.file)))
        try:
            for statement in (f"ATTACH {path} AS {_quoted(store_name(state.name))} (READ_ONLY)", *then):
                self._base.execute(statement)
        except duckdb.Error as error:
            raise StoreDamaged(f"The data file {state.file} cannot be opened.") from error

    @property
    def home(self) -> Path:
        """The data directory."""
        return self.folder.parent.parent

    def _add_audit(self) -> None:
        if AUDIT not in self.tables:
            return
        try:
            add_audit(self._base, self.home, masked=self._masked)
        except MirrorError as error:
            self.broken[AUDIT] = error

    def _add_view(self, view: definitions.View) -> None:
        """A file written before a column existed must not take everything else down with the view that wants it."""
        try:
            if INPUTS in view.sql:
                self._add_rules()
            self._base.execute(f"CREATE VIEW main.{_quoted(view.name)} AS {view.sql}")
        except (duckdb.BinderException, duckdb.CatalogException):
            self.broken[view.name] = _outdated(view.name)
        except ConfigurationError as error:
            self.broken[view.name] = error

    def _add_history(self) -> None:
        """The segments where they are wanted; for views that are only looked at the shape of what would be in them."""
        segments = self.manifest.history
        if not segments or EVENTS not in self.tables:
            if history.views() & self.tables:
                history.add_nothing(self._base)
            return
        history.add(self._base, segments, history_dir(self.home))
        for past in history.pasts(self._base, lambda table: self._shape(table) if table in self.tables else None):
            self._base.execute(past.macro)

    def _add_rules(self) -> None:
        from kandji_queries.rule_inputs import statements  # only for statements that ask about compliance

        for statement in statements(self._rules.rules(), self._shape):
            self._base.execute(statement)

    def _shape(self, table: str) -> dict[str, str] | None:
        """Types of a mirrored table's columns by name; None where it is not here."""
        if table not in self.manifest.tables:
            return None
        described = self._base.execute(f"DESCRIBE main.{_quoted(table)}").fetchall()
        return {name: kind for name, kind, *_ in described}

    def refuse_broken(self, names: Collection[str]) -> None:
        """Raise the reason why a table or view cannot be asked; of views that read others the innermost's."""
        for name, reason in self.broken.items():
            if name in names:
                raise reason

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection for one statement, inside a read-only transaction; close it afterwards."""
        cursor = self.session()
        cursor.execute("BEGIN TRANSACTION READ ONLY")
        return cursor

    def session(self) -> duckdb.DuckDBPyConnection:
        """A connection for statements of our own, outside of any transaction; close it afterwards."""
        with self._lock:
            return self._base.cursor()

    def as_of(self, tables: Collection[str]) -> dict[str, str | None]:
        """For each mirrored table behind ``tables`` when its rows were read, ``2026-11-20T12:00:00Z``."""
        states = (self.manifest.tables[name] for name in tables if name in self.manifest.tables)
        return {state.name: utc_text(state.synced_at) for state in states}

    def close(self) -> None:
        """End it; cursors that are still open stop working."""
        self._base.close()


def store_name(table: str) -> str:
    """Name under which a table's data file is attached."""
    return f"stored_{table}"


def utc_text(moment: datetime | None) -> str | None:
    """``2026-11-20T12:00:00Z``, in whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def _stored(table: str) -> str:
    return f"{_quoted(store_name(table))}.main.{_quoted(table)}"


def _alike(before: TableState, after: TableState) -> bool:
    """Whether a view of one state's file can show the other's."""
    return before.ddl == after.ddl and bool(before.file) == bool(after.file)


def _outdated(view: str) -> Failed:
    return Failed(
        f"The view {view} needs columns that were not mirrored yet when its tables were written. "
        "Run `kandji-mirror sync --full`."
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
