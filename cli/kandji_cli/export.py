"""``export``: files for reporting. Their paths on stdout, progress and what has to be known of them on stderr."""

import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from kandji_cli.home_to_read import settings_to_read
from kandji_cli.output import say, say_document, tell
from kandji_cli.reads import required
from kandji_queries.export.export import ExportOptions, export
from kandji_queries.export.report import ExportReport
from kandji_queries.export.watch import Progress
from kandji_schema.errors import Interrupted, UsageError
from kandji_schema.home import refuse_foreign
from kandji_schema.text import counted, size

LISTED = 8
"""Most tables whose dates are listed one by one."""


def export_files(
    names: tuple[str, ...],
    *,
    everything: bool,
    form: str,
    to: str,
    as_json: bool,
    max_age: str | None,
    strict: bool,
    **options: Any,
) -> None:
    """Export what is named, or every table and view. ``options`` are those of :class:`ExportOptions`."""
    if everything and names:
        raise UsageError(f"--all is everything already; {', '.join(names)} cannot be named too.")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    settings = settings_to_read()
    refuse_foreign(settings)
    with _progress() as progress:
        report = export(
            settings.home,
            None if everything else names,
            form,
            to,
            ExportOptions(**options, requirements=required(max_age=max_age, strict=strict)),
            progress=progress,
            rules=settings.mirror_compliance_file,
            masked=settings.privacy.masks_people,
            memory_mb=settings.mirror_query_memory_mb,
        )
    if as_json:
        say_document(_document(report))
    else:
        _show(report)


def _stop(*_: object) -> None:
    """End by way of the export, which takes away what it has begun."""
    raise Interrupted("Stopped; nothing was exported.")


@contextmanager
def _progress() -> Iterator[Progress | None]:
    """Show a bar where stderr is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console  # only for people who look
    from rich.progress import Progress as Bars

    with Bars(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("", total=1.0)
        yield lambda name, done: bars.update(task, description=name, completed=done)


def _show(report: ExportReport) -> None:
    for path in report.files:
        say(str(path))
    for name, reason in report.left_out.items():
        tell(f"{name} was left out: {reason}")
    for note in report.notes:
        tell(note)
    for folder in report.removed:
        tell(f"{folder} was removed.")
    if dates := _as_of(report):
        tell(_dates(dates))
    for readers in {entry.opened_by: None for entry in report.exports if entry.opened_by}:
        tell(f"It is opened by {readers}.")
    rows, files = counted(report.rows, "row"), counted(len(report.files), "file")
    tell(f"{rows} in {files}, {size(report.bytes)}, in {report.folder}.")


def _as_of(report: ExportReport) -> Mapping[str, str | None]:
    return {table: moment for entry in report.exports for table, moment in entry.as_of.items()}


def _dates(dates: Mapping[str, str | None]) -> str:
    """Give every table's, or of many the oldest and the newest; those never synced are in the notes."""
    if len(dates) <= LISTED:
        return "As of " + ", ".join(f"{table} {moment or 'never synced'}" for table, moment in dates.items())
    known = sorted((moment, table) for table, moment in dates.items() if moment)
    (oldest, first), (newest, last) = known[0], known[-1]
    return f"As of {first} {oldest} (the oldest) to {last} {newest}; manifest.json has every table's."


def _document(report: ExportReport) -> dict[str, Any]:
    return {**asdict(report), "rows": report.rows, "bytes": report.bytes}
