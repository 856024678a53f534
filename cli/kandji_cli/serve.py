"""``kandji-mirror serve``."""

import logging
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from kandji_cli.checking import checks_told
from kandji_cli.notify import Notifier
from kandji_cli.output import tell
from kandji_cli.reload import Change, compared, refused
from kandji_cli.signals import stopped_by_signals
from kandji_mcp_server.background import Background
from kandji_mcp_server.logs import is_for_people, log_to_stderr
from kandji_mcp_server.process import disable_core_dumps
from kandji_mirror.api.client import token_mark
from kandji_mirror.api.credentials import token
from kandji_mirror.scheduler.service import Scheduler, scheduler_of
from kandji_mirror.store.lock import holder
from kandji_mirror.sync.planner import parse_ttl_overrides
from kandji_schema.errors import ConfigurationError, MirrorError, UsageError
from kandji_schema.events import Field, about, trouble
from kandji_schema.folders import CHECKS_FILE
from kandji_schema.manifest import generations
from kandji_schema.registry import resources
from kandji_schema.settings import Settings, load

if TYPE_CHECKING:
    from kandji_mcp_server.http import Access, HttpServer
    from kandji_mcp_server.monitoring.samples import CheckCounts

log = logging.getLogger(__name__)

LEVEL = "info"
"""Of the log, unless a setting says otherwise."""

_SILENT_SECONDS = 600.0  # then a process ends itself that no watchdog ends

_LOOK_SECONDS = 0.5  # a signal that another thread gets, or any on Windows, does not end a longer wait


class ServerEnded(MirrorError):
    """The HTTP server ended by itself."""


def serve(*, sync: bool = True, mcp: bool = True, host: str | None = None, port: int | None = None) -> None:
    """Sync in the background and answer AI clients over HTTP until Ctrl-C or SIGTERM, which is a clean end.

    ``host`` and ``port`` replace those of the settings. SIGHUP reads settings again, in a process without a terminal.
    Raises :class:`ConfigurationError` where a setting is wrong or missing, or the token while there is no mirror
    either; later trouble is told and tried again.
    """
    if not (sync or mcp):
        raise UsageError("With both --no-sync and --no-mcp there is nothing to do. Leave one of them out.")
    read = partial(_read, host, port)
    settings = read()
    log_to_stderr(settings, LEVEL)
    disable_core_dumps()
    try:
        _serve(Serving(settings, read, sync=sync, mcp=mcp))
    except MirrorError as error:
        if is_for_people(settings):
            raise
        log.critical("%s", error, extra=about("serve.failed", status=error.exit_code))  # whoever reads JSON gets JSON
        _leave(error.exit_code)
    _leave(0)


def _leave(code: int) -> None:
    sys.stderr.flush()
    os._exit(code)  # threads that still wait would hold up the end; the store is whole whenever a process ends


def _serve(serving: "Serving") -> None:
    with stopped_by_signals(serving.ask_to_reload), ExitStack() as started:
        try:
            serving.begin(started)
            serving.go_on()
        except KeyboardInterrupt:
            serving.notifier.stopping()
            _say(serving.settings, "Stopping.", "serve.stopping")


def _read(host: str | None, port: int | None) -> Settings:
    """Read the settings, as the command line has it."""
    asked: dict[str, Any] = {"mirror_http_host": host, "mirror_http_port": port}
    return replace(load(), **{name: value for name, value in asked.items() if value is not None})


class Serving:
    """What one ``serve`` does: syncing, answering, telling, and taking up settings that are ``read`` again."""

    def __init__(self, settings: Settings, read: Callable[[], Settings], *, sync: bool, mcp: bool) -> None:
        """``settings`` are those that hold."""
        self.settings = settings
        self.notifier = Notifier()
        self._read = read
        self._sync = sync
        self._mcp = mcp
        self._scheduler: Scheduler | None = None
        self._background = Background(settings)
        self._server: HttpServer | None = None
        self._asked = False
        self._token = ""
        self._silent_since: float | None = None

    def ask_to_reload(self) -> None:
        """Have settings read again soon; may be called by a signal's handler."""
        self._asked = True

    def begin(self, started: ExitStack) -> None:
        """Begin everything; what was begun is stopped by ``started``, the last one first."""
        settings = self.settings
        parse_ttl_overrides(
            settings.mirror_ttl, resources()
        )  # a broken one is no missing token: nothing begins with it
        _tell_remarks(settings)
        scheduler = _scheduler(settings, only_reading=self._mcp) if self._sync else None
        started.callback(self._stop_syncing)
        self._background = Background(settings, scheduler=scheduler)
        if self._mcp:
            self._server = _server(settings, self._background)
            started.callback(self._server.stop)
        started.enter_context(checks_told(settings))
        if scheduler:
            _say(settings, _promise(settings), "serve.syncing")
            self._start(scheduler)

    def go_on(self) -> None:
        """Go on until interrupted; :class:`ServerEnded` where nothing answers or syncs any more."""
        ready = False
        while True:
            if not ready and (self._server is None or self._server.started):
                self.notifier.ready()
                ready = True
            if self._server and self._server.ended:
                raise ServerEnded("The HTTP server ended by itself; the log above tells why. Start it again.")
            if self._asked:
                self._asked = False
                self._reload()
            self._show_life()
            time.sleep(_LOOK_SECONDS)

    # -- signs of life -------------------------------------------------------------------------------------------------

    def _show_life(self) -> None:
        """Feed the watchdog while all is alive; where nobody else would end a process that hangs, do so."""
        silent = self._silent()
        if not silent:
            self._silent_since = None
            self.notifier.status(self._status())
            self.notifier.feed()
            return
        log.error("%s gives no sign of life.", silent, extra=trouble("serve.silent"))
        self.notifier.status(f"{silent} gives no sign of life.")
        now = time.monotonic()
        self._silent_since = self._silent_since or now
        if now - self._silent_since > _SILENT_SECONDS and not self.notifier.is_watched:
            raise ServerEnded(f"{silent} gives no sign of life for {_SILENT_SECONDS / 60:g} minutes. Start it again.")

    def _silent(self) -> str:
        if self._scheduler and not self._scheduler.alive:
            return "The scheduler"
        return "The HTTP server" if self._server and self._server.started and not self._server.alive else ""

    def _status(self) -> str:
        if self._scheduler is None:
            return "Answering; nothing is synced from here."
        if self._scheduler.resting:
            return "Syncing rests and is tried again; the log tells why."
        return (
            "In sync." if self._scheduler.syncing else "Waiting: another process syncs, or the store is being opened."
        )

    # -- settings that are read again ----------------------------------------------------------------------------------

    def _reload(self) -> None:
        """Read settings again; what is wrong with them is told, and changes nothing."""
        self.notifier.reloading()
        try:
            change = compared(self.settings, self._read())
            self._take(change, self._successor(change))
        except ConfigurationError as error:
            log.error("%s", refused(error), extra=about("settings.refused"))
        self.notifier.ready()

    def _successor(self, change: Change) -> Scheduler | None:
        """Return what syncs from now on, where its settings or its token changed, or where nothing is synced now."""
        if not self._sync:
            return None
        try:
            resting = self._scheduler is None or self._scheduler.resting
            renewed = change.concerns_sync or resting or token_mark(token(change.settings)) != self._token
            return scheduler_of(change.settings) if renewed else None
        except ConfigurationError:
            if self._scheduler:
                raise
            return None  # it only reads still, as it did

    def _take(self, change: Change, successor: Scheduler | None) -> None:
        self.settings = change.settings
        log_to_stderr(change.settings, LEVEL)
        if successor:
            self._stop_syncing()
            self._background.use(successor)
            self._start(successor)
        words = f"{change.words}{' Syncing begins anew.' if successor else ''}"
        log.info("%s", words, extra=about("settings.read", now=change.now, restart=change.later))

    def _start(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._token = token_mark(token(self.settings))
        scheduler.start()

    def _stop_syncing(self) -> None:
        if self._scheduler and not self._scheduler.stop():
            _say(self.settings, "A table is still being written; it keeps its previous rows.", "serve.unfinished")


def _say(settings: Settings, words: str, event: str, **fields: Field) -> None:
    """Tell a person at a terminal in plain words, and programs in a line of the log."""
    if is_for_people(settings):
        tell(words)
    else:
        log.info("%s", words, extra=about(event, **fields))


def _warn(settings: Settings, words: str, event: str) -> None:
    if is_for_people(settings):
        tell(f"warning: {words}")
    else:
        log.warning("%s", words, extra=about(event))


def _tell_remarks(settings: Settings) -> None:
    for remark in settings.provenance.remarks:
        if remark.grave:
            _warn(settings, remark.text, "settings.remark")


def _promise(settings: Settings) -> str:
    """Say what this process will do; another one may sync the home already."""
    known = holder(settings.home)
    ages = "`kandji-mirror status` tells how old every table is."
    if known:
        return f"Process {known.pid} keeps {settings.home} in sync already; this one takes over when it ends. {ages}"
    return f"Keeping {settings.home} in sync until Ctrl-C. {ages}"


def _scheduler(settings: Settings, *, only_reading: bool) -> Scheduler | None:
    """Return what syncs; None, and a word about it, where that is not set up but there is a mirror to read."""
    try:
        scheduler = scheduler_of(settings)
    except ConfigurationError as error:
        if not (only_reading and generations(settings.home)):
            raise
        _warn(settings, f"nothing is synced from here, answers come from what is mirrored: {error}", "sync.off")
        return None
    return scheduler


def _server(settings: Settings, background: Background) -> "HttpServer":
    from kandji_mcp_server import ServerContext
    from kandji_mcp_server.http import HttpServer, read_access
    from kandji_web import make_site

    allowed = read_access(settings, make_token=True)
    context = ServerContext(settings, background)
    code = secrets.token_urlsafe(24)
    server = HttpServer(context, allowed, pages=partial(make_site, link_code=code), checks=partial(_checks, settings))
    _say(settings, f"Pages for your browser: {server.pages_url}", "serve.pages", url=server.pages_url)
    if sys.stderr.isatty():  # a log keeps what it is told, and others may read it
        tell(f"This link signs in once, within 10 minutes: {server.pages_url}sign-in?once={code}")
    ways = f"AI clients connect to {server.url} {' or '.join(_ways_in(settings, allowed))}"
    _say(settings, f"{ways}; `kandji-mirror mcp-config CLIENT --http` tells how.", "serve.listening", url=server.url)
    return server


def _checks(settings: Settings) -> "CheckCounts":
    """Count how the checks of the home stand, for the metrics."""
    from kandji_mcp_server.monitoring.samples import CheckCounts
    from kandji_watch.standing import FOUND, TROUBLE, WRONG, overview

    if not (settings.home / CHECKS_FILE).exists():
        return CheckCounts()
    found = overview(settings.home, settings.privacy, datetime.now(UTC))
    return CheckCounts(
        on=len(found.on),
        without_answer=sum(line.state in {TROUBLE, WRONG} for line in found.lines) + bool(found.error),
        findings=sum(line.found for line in found.lines if line.state == FOUND),
        waiting=len(found.waiting),
        failed=len(found.failed),
    )


def _ways_in(settings: Settings, allowed: "Access") -> Iterator[str]:
    if allowed.token:
        where = "KANDJI_MIRROR_HTTP_TOKEN" if settings.mirror_http_token else str(allowed.token_file)
        yield f"with the bearer token in {where}"
    if allowed.people:
        yield f"as people who sign in at {allowed.people.issuer}"
