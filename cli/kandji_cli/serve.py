"""``kandji-mirror serve``."""

import logging
import os
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from kandji_cli.checking import checks_told
from kandji_cli.output import tell
from kandji_cli.signals import stopped_by_signals
from kandji_mcp_server.logs import is_for_people, log_to_stderr
from kandji_mcp_server.process import disable_core_dumps
from kandji_mirror.scheduler.service import Scheduler, scheduler_of
from kandji_mirror.store.lock import holder
from kandji_mirror.sync.planner import parse_ttl_overrides
from kandji_schema.errors import ConfigurationError, MirrorError, UsageError
from kandji_schema.events import Field, about
from kandji_schema.manifest import generations
from kandji_schema.registry import resources
from kandji_schema.settings import Settings, load

if TYPE_CHECKING:
    from kandji_mcp_server.http import Access, HttpServer

log = logging.getLogger(__name__)

_LEVEL = "info"  # of the log, unless a setting says otherwise

_LOOK_SECONDS = 0.5  # a signal that another thread gets, or any on Windows, does not end a longer wait


class ServerEnded(MirrorError):
    """The HTTP server ended by itself."""


def serve(*, sync: bool = True, mcp: bool = True, host: str | None = None, port: int | None = None) -> None:
    """Sync in the background and answer AI clients over HTTP until Ctrl-C or SIGTERM, which is a clean end.

    ``host`` and ``port`` replace those of the settings. Raises :class:`ConfigurationError` where a setting is wrong or
    missing, or the token while there is no mirror either; later trouble is told and tried again.
    """
    if not (sync or mcp):
        raise UsageError("With both --no-sync and --no-mcp there is nothing to do. Leave one of them out.")
    settings = _with(load(), host, port)
    log_to_stderr(settings, _LEVEL)
    disable_core_dumps()
    try:
        _serve(settings, sync=sync, mcp=mcp)
    except MirrorError as error:
        if is_for_people(settings):
            raise
        log.critical("%s", error, extra=about("serve.failed", status=error.exit_code))  # whoever reads JSON gets JSON
        _leave(error.exit_code)
    _leave(0)


def _leave(code: int) -> None:
    sys.stderr.flush()
    os._exit(code)  # threads that still wait would hold up the end; the store is whole whenever a process ends


def _serve(settings: Settings, *, sync: bool, mcp: bool) -> None:
    with stopped_by_signals(), ExitStack() as started:
        try:
            _start(settings, started, sync=sync, mcp=mcp)
        except KeyboardInterrupt:
            _say(settings, "Stopping.", "serve.stopping")


def _start(settings: Settings, started: ExitStack, *, sync: bool, mcp: bool) -> None:
    """Do it until interrupted; what was started is stopped by ``started``, the last one first."""
    parse_ttl_overrides(settings.mirror_ttl, resources())  # a broken one is no missing token: nothing is begun with it
    _tell_remarks(settings)
    scheduler = _scheduler(settings, only_reading=mcp) if sync else None
    if scheduler:
        started.callback(_stop, scheduler, settings)
    server = _server(settings, scheduler) if mcp else None
    if server:
        started.callback(server.stop)
    started.enter_context(checks_told(settings))
    if scheduler:
        _say(settings, _promise(settings), "serve.syncing")
        scheduler.start()
    while server is None or not server.ended:
        time.sleep(_LOOK_SECONDS)
    raise ServerEnded("The HTTP server ended by itself; the log above tells why. Start it again.")


def _with(settings: Settings, host: str | None, port: int | None) -> Settings:
    asked: dict[str, Any] = {"mirror_http_host": host, "mirror_http_port": port}
    return replace(settings, **{name: value for name, value in asked.items() if value is not None})


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


def _server(settings: Settings, scheduler: Scheduler | None) -> "HttpServer":
    from kandji_mcp_server import Background, ServerContext
    from kandji_mcp_server.http import HttpServer, read_access
    from kandji_web import make_site

    allowed = read_access(settings, make_token=True)
    context = ServerContext(settings, Background(settings, scheduler=scheduler))
    code = secrets.token_urlsafe(24)
    server = HttpServer(context, allowed, pages=partial(make_site, link_code=code))
    _say(settings, f"Pages for your browser: {server.pages_url}", "serve.pages", url=server.pages_url)
    if sys.stderr.isatty():  # a log keeps what it is told, and others may read it
        tell(f"This link signs in once, within 10 minutes: {server.pages_url}sign-in?once={code}")
    ways = f"AI clients connect to {server.url} {' or '.join(_ways_in(settings, allowed))}"
    _say(settings, f"{ways}; `kandji-mirror mcp-config CLIENT --http` tells how.", "serve.listening", url=server.url)
    return server


def _ways_in(settings: Settings, allowed: "Access") -> Iterator[str]:
    if allowed.token:
        where = "KANDJI_MIRROR_HTTP_TOKEN" if settings.mirror_http_token else str(allowed.token_file)
        yield f"with the bearer token in {where}"
    if allowed.people:
        yield f"as people who sign in at {allowed.people.issuer}"


def _stop(scheduler: Scheduler, settings: Settings) -> None:
    if not scheduler.stop():
        _say(settings, "A table is still being written; it keeps its previous rows.", "serve.unfinished")
