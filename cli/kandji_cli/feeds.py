"""``kandji-mirror feed``: documents of public feeds into tables, and how old each is."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Event

from kandji_cli.feed_words import HEAD, document_lines
from kandji_cli.output import print_rows, say_document, tell, warn
from kandji_cli.signals import stopped_by_signals
from kandji_mirror.api.endpoint import base_url
from kandji_mirror.feeds.load import load_files, read_files
from kandji_mirror.feeds.update import FeedSources, note_turned_off, update_feeds
from kandji_mirror.report import Report
from kandji_mirror.scheduler.inbox import sync_or_request
from kandji_mirror.scheduler.queue import RefreshRequest
from kandji_mirror.state import record_run, utc_now
from kandji_mirror.store.opening import open_store
from kandji_mirror.threads import run_interruptible
from kandji_schema.durations import age
from kandji_schema.errors import (
    AlreadySyncing,
    ConfigurationError,
    Interrupted,
    MirrorError,
    StoreError,
    UsageError,
)
from kandji_schema.feed_state import ages, documents
from kandji_schema.feeds import FEEDS, SETTING, Feed, feed_of
from kandji_schema.home import mirrored, name_here, refuse_foreign
from kandji_schema.manifest import State, newest_whole
from kandji_schema.registry import resources
from kandji_schema.settings import Settings, load
from kandji_schema.text import counted

Stopped = Callable[[], bool]
"""Tells whether someone wants the work to end."""


class FeedsNotRead(MirrorError):
    """A feed that was asked for did not come; its tables keep their rows."""

    exit_code = 4


def load_documents(files: Sequence[Path], name: str | None, *, accept_fewer: bool, as_json: bool) -> None:
    """Load documents from files into the mirror and print what came of them."""
    settings = load()
    tenant, feed = tenant_of(settings), FEEDS[name] if name else None
    found = read_files(files, feed)
    feeds = dict.fromkeys(document.feed for _, document in found.values())
    request = RefreshRequest.of_feeds(feeds, files, whole=accept_fewer)

    def here(_stopped: Stopped) -> Report:
        report = load_files(
            settings.home,
            tenant,
            files,
            feed=feed,
            accept_fewer=accept_fewer,
            keep_days=settings.mirror_history_days,
            privacy=settings.privacy,
            disk=settings.disk,
        )
        _record(settings.home, report)
        return report

    _print(settings, _done(settings, request, here), as_json=as_json)


def update_now(names: Sequence[str], *, as_json: bool) -> None:
    """Ask for feeds that are on now and print what came; :class:`FeedsNotRead` after that where one did not."""
    settings = load()
    sources = FeedSources.of(settings)
    wanted = _chosen(sources, names)
    tenant = tenant_of(settings)
    update = partial(_update, settings, tenant, sources, wanted)
    report = _done(settings, RefreshRequest.of_feeds(wanted), update)
    _print(settings, report, as_json=as_json)
    if not report.outcomes:
        raise ConfigurationError(f"The process that syncs this mirror was started without {SETTING}; start it anew.")
    failed = [outcome.table for outcome in report.outcomes if outcome.state is State.FAILED]
    if failed:
        raise FeedsNotRead(f"{', '.join(failed)} could not be read anew and keep their previous rows.")


def _chosen(sources: FeedSources, names: Sequence[str]) -> list[Feed]:
    """Return the named feeds, or all that are on; :class:`UsageError` for one that is off."""
    on = {feed.name: feed for feed in sources.feeds}
    off = [name for name in names if name not in on]
    if off or not on:
        wanted = ",".join([*on, *(off or FEEDS)])
        what = f"The feed {off[0]} is off" if off else "No public feed is on"
        raise UsageError(f"{what}, so nothing was asked for. Set {SETTING}={wanted}, or use `kandji-mirror feed load`.")
    return [on[name] for name in dict.fromkeys(names)] or list(on.values())


def show_feeds(form: str) -> None:
    """Print a line for each document, then what went wrong with any."""
    settings, now = load(), datetime.now(UTC)
    lines = list(document_lines(settings))
    print_rows(HEAD, (line.cells(now) for line in lines), form)
    for line in lines:
        if line.known.error:
            tell(f"{line.feed.name}: {line.document.name}: {line.known.error}")
    if not any(line.on for line in lines):
        tell(f"None is on. {SETTING}=sofa,kev turns them on; docs/feeds.md tells what is asked of whom.")


def update_due(settings: Settings, *, everything: bool) -> Report | None:
    """Read the feeds that are due beside a sync, or all that are on; None where there is nothing to do.

    Whatever is wrong with feeds is a warning here: the sync of the tenant is done. Where another process syncs the
    mirror that one reads the feeds, too.
    """
    with suppress(AlreadySyncing):
        try:
            sources = FeedSources.of(settings)
            if not sources.feeds and not sources.turned_off(newest_whole(settings.home)[0].tables):
                return None
            wanted = sources.feeds if everything else None
            return _interruptible(partial(_update, settings, tenant_of(settings), sources, wanted))
        except (AlreadySyncing, Interrupted):
            raise
        except MirrorError as error:
            warn([str(error)])
    return None


def _update(
    settings: Settings,
    tenant: str,
    sources: FeedSources,
    wanted: Sequence[Feed] | None,
    stopped: Stopped,
) -> Report:
    """Read the wanted feeds, by default those that are due."""
    with open_store(settings.home, tenant, resources(), utc_now, privacy=settings.privacy, disk=settings.disk) as store:
        note_turned_off(store, sources)
        chosen = sources.due(store.current.tables, store.wall()) if wanted is None else wanted
        report = update_feeds(store, sources.stopping(stopped), chosen, keep_days=settings.mirror_history_days)
    if report.outcomes:
        _record(settings.home, report)
    return report


def _done(settings: Settings, request: RefreshRequest, here: Callable[[Stopped], Report]) -> Report:
    """Return the report of ``here``; where another process syncs this mirror, that one does it."""

    def work(stopped: Stopped) -> Report:
        def sleep(seconds: float) -> None:
            if stopped():
                raise Interrupted("What was asked for was not waited for.")
            time.sleep(seconds)

        attempt = partial(here, stopped)
        return sync_or_request(settings.home, request, attempt, sleep=sleep, handed_over=_tell_handed_over)

    return _interruptible(work)


def _interruptible(work: Callable[[Stopped], Report]) -> Report:
    """Return what ``work`` does, which is told when someone wants it to end."""
    stop = Event()
    with stopped_by_signals():
        try:
            return run_interruptible(partial(work, stop.is_set), stop.set)
        except KeyboardInterrupt:
            raise Interrupted("Stopped. What was published before still answers.") from None


def _tell_handed_over() -> None:
    tell("Another process syncs this mirror, so it was asked to do this now; its answer is waited for.")


def _record(home: Path, report: Report) -> None:
    try:
        record_run(home, report)
    except StoreError as error:  # the record is about the mirror, not of it
        warn([str(error)])


def tenant_of(settings: Settings) -> str:
    """Return the tenant of the home: the one mirrored there, else the one that the settings name.

    :class:`ConfigurationError` where the home is another tenant's, and where neither names any.
    """
    refuse_foreign(settings)
    return mirrored(settings.home) or name_here(settings, base_url(settings))


def _print(settings: Settings, report: Report, *, as_json: bool) -> None:
    if as_json:
        say_document(asdict(report))
    else:
        summarise_feeds(settings.home, report)


def summarise_feeds(home: Path, report: Report) -> None:
    """Print a line for each feed: how old its documents are, how many rows its tables have, and what went wrong."""
    warn(report.warnings)
    now, known = datetime.now(UTC), documents(home)
    for feed in dict.fromkeys(feed_of(outcome.table) for outcome in report.outcomes):
        if feed is None:
            continue
        own = [outcome for outcome in report.outcomes if outcome.table in feed.tables]
        parts = [f"{name} {age(moment, now)} old" for name, moment in ages(feed, known).items() if moment]
        rows = ", ".join(f"{outcome.table} {counted(outcome.rows, 'row')}" for outcome in own)
        tell(f"{feed.name} ({', '.join(parts) or 'never read'}): {rows}.")
        for error in dict.fromkeys(outcome.error for outcome in own if outcome.error):
            tell(f"{feed.name}: {error}")
