"""``kandji-mirror sync``."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from kandji_cli.feeds import summarise_feeds, update_due
from kandji_cli.output import say_document, say_line, tell, warn
from kandji_cli.progress import watched
from kandji_cli.signals import stopped_by_signals
from kandji_cli.sync_lines import table_lines
from kandji_mirror.api.client import Client
from kandji_mirror.connection import Connection, connect
from kandji_mirror.report import Progress, Report
from kandji_mirror.scheduler.inbox import sync_or_request
from kandji_mirror.scheduler.queue import RefreshRequest
from kandji_mirror.state import record_run
from kandji_mirror.sync.devices import find_device
from kandji_mirror.sync.planner import parse_ttl_overrides
from kandji_mirror.sync.request import REFUSED, Ttl, device_request
from kandji_mirror.sync.run import sync, sync_devices
from kandji_mirror.sync.strategy import Method
from kandji_mirror.sync.swept_table import part_in
from kandji_mirror.threads import run_interruptible
from kandji_schema.errors import Interrupted, MirrorError, StoreError
from kandji_schema.registry import resources, tenant_tables
from kandji_schema.settings import Settings, load
from kandji_schema.text import counted


class PartialSync(MirrorError):
    """Some table kept its previous rows."""

    exit_code = 4


def sync_now(names: Sequence[str], devices: Sequence[str], *, everything: bool, form: str = "text") -> None:
    """Sync tables, or the rows of some devices, and print the report.

    A device is named by its identifier, serial number or name. ``form`` is text, json for one document, or jsonl for a
    line a table. Raises :class:`PartialSync` after the report where some table failed.
    """
    settings = load()
    report = run_sync(settings, names, devices, everything=everything)
    feeds = None if names or devices else update_due(settings, everything=everything)
    if form == "text":
        summarise(report)
        if feeds:
            summarise_feeds(settings.home, feeds)
    else:
        both = replace(report, outcomes=(*report.outcomes, *(feeds.outcomes if feeds else ())))
        if form == "json":
            say_document(asdict(both))
        else:
            warn(both.warnings)
            for line in table_lines(settings.home, both, others=not (names or devices)):
                say_line(line)
    raise_if_partial(report, names)


def run_sync(
    settings: Settings, names: Sequence[str] = (), devices: Sequence[str] = (), *, everything: bool = False
) -> Report:
    """Do one run with progress on stderr, recorded in the run log."""
    if devices:
        device_request(devices, names)  # what is wrong with it is told before anything is sent
    with _watched_connection(settings) as (connection, progress):
        read = partial(_read, settings, connection, progress, names, devices, everything=everything)
        report = run_interruptible(read, connection.client.stop)
    try:
        record_run(settings.home, report)
    except StoreError as error:  # the record is about the mirror, not of it: without it the sync is as good
        warn([str(error)])
    return report


def _read(
    settings: Settings,
    connection: Connection,
    progress: Progress,
    names: Sequence[str],
    devices: Sequence[str],
    *,
    everything: bool,
) -> Report:
    """Read it in this process, or ask the one that syncs this mirror for the same."""
    where = (settings.home, connection.tenant, connection.client)
    sweep, overrides = settings.mirror_sweep_requests, parse_ttl_overrides(settings.mirror_ttl, resources())
    how: dict[str, Any] = {
        "keep_days": settings.mirror_history_days,
        "progress": progress,
        "privacy": settings.privacy,
        "disk": settings.disk,
    }
    read: Callable[[], Report]
    if devices:
        found = [find_device(settings.home, connection.client, device) for device in devices]
        read, request = (
            partial(sync_devices, *where, found, names=names, **how),
            RefreshRequest.of_devices(found, names),
        )
    else:
        ttls = {name: Ttl(ttl) for name, ttl in overrides.items()}
        read = partial(sync, *where, names=names, everything=everything, sweep=sweep, ttls=ttls, **how)
        request = _request(names, everything=everything, sweep=sweep)
    return sync_or_request(
        settings.home, request, read, sleep=_sleep_of(connection.client), handed_over=_tell_handed_over
    )


def _request(names: Sequence[str], *, everything: bool, sweep: int | None) -> RefreshRequest:
    """Return what another process is asked for, where one holds the lock: named tables, all, or those that are due."""
    if names:
        return RefreshRequest.of_tables(names, whole=everything)
    return RefreshRequest.of_tables(tuple(tenant_tables()), whole=everything, due=not everything, sweep=sweep)


def _tell_handed_over() -> None:
    tell("Another process syncs this mirror, so it was asked to do this now; its answer is waited for.")


def _sleep_of(client: Client) -> Callable[[float], None]:
    """Return the wait between two looks for another process's answer, which ends when the client is stopped."""

    def sleep(seconds: float) -> None:
        if client.stopped:
            raise Interrupted("What was asked for was not waited for.")
        time.sleep(seconds)

    return sleep


@contextmanager
def _watched_connection(settings: Settings) -> Iterator[tuple[Connection, Progress]]:
    """Open a connection whose progress is on stderr, ended by signals as by Ctrl-C."""
    with stopped_by_signals(), connect(settings) as connection:
        try:
            with watched(connection.client) as progress:
                yield connection, progress
        except KeyboardInterrupt:
            raise Interrupted(
                "Stopped. Tables that were complete are published, the others keep their previous rows."
            ) from None


def summarise(report: Report, *, again: bool = True) -> None:
    """Print a few lines for people; with ``again`` also what reads the rest of tables that are read in part."""
    warn(report.warnings)
    if report.outcomes:
        _tell_outcomes(report, again=again)
    elif not report.outage:
        tell("Every table is fresher than its TTL, so nothing was asked for. `--full` syncs them all now.")
        if report.partial:
            tell(f"Read in part until now: {', '.join(report.partial)}; named, they are read to the end.")
    for line in _refusals(report):
        tell(line)


def _tell_outcomes(report: Report, *, again: bool) -> None:
    rows = sum(o.rows for o in report.outcomes)
    left = "" if report.remaining_hour is None else f", {report.remaining_hour:,} left this hour"
    cost = f"{report.seconds:.1f} s and {counted(report.requests, 'request')}{left}"
    by_device = all(
        outcome.method == Method.BY_DEVICE for outcome in report.outcomes
    )  # then the rows are not what was read
    read = "" if by_device else f", {counted(rows, 'row')}"
    tell(f"{counted(len(report.outcomes), 'table')}{read} in {cost}.")
    parts = {outcome.table: part for outcome in report.outcomes if (part := part_in(outcome.note))}
    for outcome in report.outcomes:
        if outcome.note and outcome.table not in parts:
            tell(f"{outcome.table}: {outcome.note.rstrip('.')}.")
    if parts:
        listed = ", ".join(f"{table} {part}" for table, part in parts.items())
        rest = f"; `kandji-mirror sync {next(iter(parts)) if len(parts) == 1 else 'TABLE'}` reads the rest of one"
        tell(f"Read for some devices until now, at one request each: {listed}{rest if again else ''}.")


def _refusals(report: Report) -> Iterator[str]:
    """Give a line for all tables the token may not read, and one for those that the tenant does not have."""
    if report.not_permitted:
        names, count = ", ".join(report.not_permitted), counted(len(report.not_permitted), "table")
        yield f"{count} not permitted: {names}; `kandji-mirror doctor` says which boxes to tick."
    if report.not_offered:
        names, count = ", ".join(report.not_offered), counted(len(report.not_offered), "table")
        yield f"{count} not offered to this tenant: {names}."


def raise_if_partial(report: Report, names: Sequence[str] = ()) -> None:
    """Raise for exit code 4 when some table failed, and in an outage.

    A table that the token may not read, or that the tenant does not have, is no failure unless it was asked for by one
    of the ``names``.
    """
    if report.outage:
        raise PartialSync(
            f"{report.outage} So nothing more was asked for. Every table that was not read keeps its rows; "
            "`kandji-mirror sync` tries again."
        )
    if report.failed:
        failed = ", ".join(o.table for o in report.failed)
        raise PartialSync(f"{failed} could not be synced and keep their previous rows; see `kandji-mirror status`.")
    refused = [o.table for o in report.outcomes if o.table in names and o.state in REFUSED]
    if refused:
        raise PartialSync(
            f"{', '.join(refused)} cannot be read with this token; `kandji-mirror status` tells what the provider said."
        )
