"""One export from beginning to end."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from kandji_queries.export import copy_files, database, folder, manifest, watch, workbook
from kandji_queries.export.asset_map import read_map
from kandji_queries.export.copy_files import DATABASE, FORMS, WORKBOOK, FormOptions, file_form
from kandji_queries.export.mapped import Wanted, mapped_rows
from kandji_queries.export.mapped_statement import LIST
from kandji_queries.export.report import ExportedItem, ExportReport, StoredItem
from kandji_queries.export.source import ExportItem, MirrorSource, OpenSource
from kandji_queries.results.data_notes import Requirements
from kandji_queries.results.values import ResultColumn
from kandji_schema.errors import StoreDamaged, UsageError
from kandji_schema.sql import fold_name
from kandji_schema.utc import in_seconds

MEMORY_MB = 1_024
THREADS = min(4, os.cpu_count() or 1)
"""Each thread that writes holds row groups in memory."""


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """How an export is made.

    ``params`` are bound to every named query that has them. ``partition_by`` names a column that divides the rows into
    folders ``column=value``. ``spreadsheet_safe`` makes CSV that a spreadsheet reads rightly and runs nothing of.
    ``dated`` writes a folder named by the time inside the target, and removes all but the newest ``keep`` of them.
    ``force`` replaces files that no export wrote. ``asset_map`` is the name or path of a map by which the list of
    assets is written, ``changed_since`` ``last`` or a moment: only what changed since then. ``requirements`` are what
    every table used must meet.
    """

    params: Mapping[str, object] = field(default_factory=dict)
    partition_by: str | None = None
    spreadsheet_safe: bool = False
    dated: bool = False
    keep: int | None = None
    force: bool = False
    asset_map: str | None = None
    changed_since: str | None = None
    requirements: Requirements = field(default_factory=Requirements)

    def refuse_nonsense(self, form: str, names: Sequence[str] | None) -> None:
        """:class:`UsageError` for what does not go together."""
        if names is not None and not names:
            raise UsageError("Nothing was named. Name tables, views or queries, or everything with --all.")
        if names is None and self.params:
            raise UsageError("Tables and views have no parameters: --param goes with the name of a query.")
        if file_form(form) is None and self.partition_by:
            kind = "database" if form == DATABASE else "workbook"
            raise UsageError(f"A {kind} is one file: --partition-by goes with parquet, csv and jsonl.")
        if form != "csv" and self.spreadsheet_safe:
            raise UsageError("--spreadsheet-safe goes with --format csv.")
        if self.keep is not None and (not self.dated or self.keep < 1):
            raise UsageError("--keep goes with --dated, and at least one export is kept.")
        self._refuse_nonsense_of_maps(form, names)

    def _refuse_nonsense_of_maps(self, form: str, names: Sequence[str] | None) -> None:
        if self.asset_map is None and self.changed_since is not None:
            raise UsageError("--changed-since goes with --map: a map says which columns make a row a changed one.")
        if self.asset_map is None:
            return
        if names is None or [fold_name(name) for name in names] != [LIST]:
            raise UsageError(f"--map goes with {LIST} alone: kandji-mirror export {LIST} --map {self.asset_map[:80]}")
        if form == DATABASE:
            raise UsageError("--map goes with csv, xlsx, jsonl and parquet, which importers read, not with duckdb.")


def export(
    home: Path,
    names: Sequence[str] | None,
    form: str,
    to: Path | str,
    options: ExportOptions | None = None,
    *,
    progress: watch.Progress | None = None,
    rules: str = "",
    masked: bool = False,
    memory_mb: int = MEMORY_MB,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> ExportReport:
    """Write tables, views and named queries of the mirror in ``home`` into the folder ``to``, all of one state.

    ``names`` None is every table and view. ``form`` is one of :data:`FORMS`. ``progress`` hears about ten times a
    second what is being written and how far it is; an exception it raises stops the export. ``rules`` is a file of
    compliance rules as the setting names it, ``memory_mb`` what the engine may use, ``clock`` the time, aware UTC.
    ``masked`` reads files with pseudonyms in place of personal data, and no others.

    Complete or not at all: on any error nothing has changed in ``to``. Raises :class:`UsageError`,
    :class:`UnknownName`, :class:`ConfigurationError` for a map, :class:`NothingMirrored`, :class:`NeverSynced`,
    :class:`NotFresh`, :class:`StatementError`, :class:`NotExported`, :class:`StoreDamaged`.
    """
    if form not in FORMS:
        raise UsageError(f"There is no format {form!r}. There are: {', '.join(FORMS)}.")
    options = options or ExportOptions()
    options.refuse_nonsense(form, names)
    if form == WORKBOOK:
        workbook.refuse_without_writer()
    target = folder.checked(to, home)
    run = _ExportRun(form, target, options, progress or (lambda _name, _done: None))
    source = MirrorSource(home, rules=rules, masked=masked, memory_mb=memory_mb, threads=THREADS, clock=clock)

    asset_map = read_map(options.asset_map) if options.asset_map is not None else None

    def attempt() -> ExportReport:
        if asset_map is not None:
            wanted = Wanted(asset_map, options.changed_since, options.params)
            with mapped_rows(source, wanted, home, target, clock()) as rows, folder.locked(target):
                report = run.write(rows.prepared(masked=masked))
                rows.remember()
                return report
        with source.opened(names, options.params) as opened, folder.locked(target):
            return run.write(opened)

    with closing(source):
        try:
            return attempt()
        except StoreDamaged:
            return attempt()  # the store has fallen back to an older state


@dataclass(frozen=True)
class _ExportRun:
    """What an export does once the mirror is open and the target locked."""

    form: str
    target: Path
    options: ExportOptions
    progress: watch.Progress

    @property
    def _shape(self) -> FormOptions:
        return FormOptions(self.options.partition_by, self.options.spreadsheet_safe)

    def write(self, opened: OpenSource) -> ExportReport:
        """Write everything, then publish it."""
        opened.refuse_unfit(self.options.requirements)
        names = self._names(opened)
        columns = {item.name: opened.columns(item) for item in opened.items}
        copy_files.refuse_without_column(columns, self.options.partition_by)
        if not self.options.dated and not self.options.force:
            folder.refuse_foreign(self.target, names)
        with folder.staging(self.target) as staged:
            opened.spill_to(staged / "spill")
            whole = staged / "files"
            whole.mkdir()
            whole.chmod(folder.PRIVATE)
            stored = self._written(opened, columns, whole)
            exports = tuple(self._entry(opened, item, columns[item.name], stored[item.name]) for item in opened.items)
            return self._published(opened, exports, whole, names)

    def _names(self, opened: OpenSource) -> list[str]:
        """List the files and folders there will be, the manifest last."""
        form = file_form(self.form)
        lone = workbook.FILE if self.form == WORKBOOK else database.FILE
        names = [copy_files.name_of(item, form, self._shape) if form else lone for item in opened.items]
        return [*dict.fromkeys(names), manifest.NAME]

    def _written(
        self, opened: OpenSource, columns: Mapping[str, Sequence[ResultColumn]], whole: Path
    ) -> Mapping[str, StoredItem]:
        form = file_form(self.form)
        if self.form == WORKBOOK:
            return workbook.write(opened, columns, whole, self.progress)
        if form is None:
            return database.write(opened, whole, self.progress)
        return copy_files.write(opened, form, self._shape, columns, whole, self.progress)

    def _entry(
        self, opened: OpenSource, item: ExportItem, columns: Sequence[ResultColumn], stored: StoredItem
    ) -> ExportedItem:
        return ExportedItem(
            name=item.name,
            kind=item.kind,
            format=self.form,
            rows=stored.rows,
            columns=tuple(column._asdict() for column in columns),
            as_of=opened.as_of(item),
            notes=(*item.notes, *opened.notes(item), *stored.notes),
            generation=opened.engine.manifest.generation,
            exported_at=in_seconds(opened.now) or "",
            files=stored.files,
            sql=(item.told_sql or item.sql) if item.kind == "query" else None,
            params=item.params,
            opened_by=database.READERS if self.form == DATABASE else None,
            asset_map=item.asset_map,
            changed_since=item.changed_since,
        )

    def _published(
        self, opened: OpenSource, exports: tuple[ExportedItem, ...], whole: Path, names: Sequence[str]
    ) -> ExportReport:
        name = folder.free_name(self.target, opened.now) if self.options.dated else None
        kept = [] if name else manifest.remaining(self.target, names)
        manifest.write(whole, exports, opened.left_out, dated=name, kept=kept)
        if name:
            folder.publish_dated(whole, self.target, name)
        else:
            folder.publish(whole, self.target, names)
        removed, stayed = folder.drop_old(self.target, self.options.keep) if self.options.keep else ([], [])
        notes = dict.fromkeys([*opened.warnings, *(note for e in exports for note in e.notes), *stayed])
        return ExportReport(
            folder=self.target / name if name else self.target,
            exports=exports,
            left_out=opened.left_out,
            notes=tuple(notes),
            removed=tuple(removed),
        )
