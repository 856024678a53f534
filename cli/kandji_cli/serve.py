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
from kandji_mcp_server.process import disable_core_dumps, log_to_stderr
from kandji_mirror.scheduler.service import Scheduler, scheduler_of
from kandji_schema.errors import ConfigurationError, MirrorError, UsageError
from kandji_schema.manifest import generations
from kandji_schema.settings import Settings, load

if TYPE_CHECKING:
    from kandji_mcp_server.http import Access, HttpServer

_LOOK_SECONDS = 0.5  # a signal that another thread gets, or any on Windows, does not end a longer wait


class ServerEnded(MirrorError):
    """The HTTP server ended by itself."""


def serve(*, sync: bool = True, mcp: bool = True, host: str | None = None, port: int | None = None) -> None:
    """Sync in the background and answer AI clients over HTTP until Ctrl-C or SIGTERM, which is a clean end.

    ``host`` and ``port`` replace those of the settings. Raises :class:`ConfigurationError` where a setting is missing,
    or the token while there is no mirror either; later trouble is told and tried again.
    """
    if not (sync or mcp):
        raise UsageError("With both --no-sync and --no-mcp there is nothing to do. Leave one of them out.")
    settings = _with(load(), host, port)
    log_to_stderr()
    disable_core_dumps()
    for package in ("kandji_mirror", "kandji_watch"):
        logging.getLogger(package).setLevel(logging.INFO)
    with stopped_by_signals(), ExitStack() as started:
        try:
            _start(settings, started, sync=sync, mcp=mcp)
        except KeyboardInterrupt:
            tell("Stopping.")
    sys.stderr.flush()
    os._exit(0)  # threads that still wait would hold up the end; the store is whole whenever a process ends


def _start(settings: Settings, started: ExitStack, *, sync: bool, mcp: bool) -> None:
    """Do it until interrupted; what was started is stopped by ``started``, the last one first."""
    scheduler = _scheduler(settings, only_reading=mcp) if sync else None
    if scheduler:
        started.callback(_stop, scheduler)
    server = _server(settings, scheduler) if mcp else None
    if server:
        started.callback(server.stop)
    started.enter_context(checks_told(settings))
    if scheduler:
        tell(f"Keeping {settings.home} in sync until Ctrl-C. `kandji-mirror status` tells how old every table is.")
        scheduler.start()
    while server is None or not server.ended:
        time.sleep(_LOOK_SECONDS)
    raise ServerEnded("The HTTP server ended by itself; the log above tells why. Start it again.")


def _with(settings: Settings, host: str | None, port: int | None) -> Settings:
    asked: dict[str, Any] = {"mirror_http_host": host, "mirror_http_port": port}
    return replace(settings, **{name: value for name, value in asked.items() if value is not None})


def _scheduler(settings: Settings, *, only_reading: bool) -> Scheduler | None:
    """Return what syncs; None, and a word about it, where that is not set up but there is a mirror to read."""
    try:
        scheduler = scheduler_of(settings)
    except ConfigurationError as error:
        if not (only_reading and generations(settings.home)):
            raise
        tell(f"warning: nothing is synced from here, answers come from what is mirrored: {error}")
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
    tell(f"Pages for your browser: {server.pages_url}")
    if sys.stderr.isatty():  # a log keeps what it is told, and others may read it
        tell(f"This link signs in once, within 10 minutes: {server.pages_url}sign-in?once={code}")
    tell(
        f"AI clients connect to {server.url} {' or '.join(_ways_in(settings, allowed))}; "
        "`kandji-mirror mcp-config CLIENT --http` tells how."
    )
    return server


def _ways_in(settings: Settings, allowed: "Access") -> Iterator[str]:
    if allowed.token:
        where = "KANDJI_MIRROR_HTTP_TOKEN" if settings.mirror_http_token else str(allowed.token_file)
        yield f"with the bearer token in {where}"
    if allowed.people:
        yield f"as people who sign in at {allowed.people.issuer}"


def _stop(scheduler: Scheduler) -> None:
    if not scheduler.stop():
        tell("A table is still being written; it keeps its previous rows.")
