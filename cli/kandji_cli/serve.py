"""``kandji-mirror serve``."""

import logging
import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from kandji_cli.checking import checks_told
from kandji_cli.notify import Notifier
from kandji_cli.serve_answers import serve_all, serve_one
from kandji_cli.serve_tenant import Read, ServedTenant
from kandji_cli.serve_tenants import prepared, tenants_to_serve
from kandji_cli.serve_words import say
from kandji_cli.signals import stopped_by_signals
from kandji_mcp_server.logs import is_for_people, log_to_stderr
from kandji_mcp_server.process import disable_core_dumps
from kandji_schema.errors import ConfigurationError, MirrorError, UsageError
from kandji_schema.events import about, trouble
from kandji_schema.settings import Settings, load

if TYPE_CHECKING:
    from kandji_mcp_server.http.serving import Server

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
    names = tenants_to_serve()
    read = partial(_read, host, port, "" if names else None)
    settings = read()
    log_to_stderr(settings, LEVEL)
    disable_core_dumps()
    try:
        _serve(Serving(read, {name: partial(_read, host, port, name) for name in names}, sync=sync, mcp=mcp))
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
            say(serving.settings, "Stopping.", "serve.stopping")


def _read(host: str | None, port: int | None, tenant: str | None) -> Settings:
    """Read the settings, as the command line has it: of a profile, of none with "", or as they are."""
    asked: dict[str, Any] = {"mirror_http_host": host, "mirror_http_port": port}
    return replace(load(tenant=tenant), **{name: value for name, value in asked.items() if value is not None})


class Serving:
    """What one ``serve`` does: for each tenant syncing, answering, telling, and taking up settings read again."""

    def __init__(self, read: Read, named: Mapping[str, Read], *, sync: bool, mcp: bool) -> None:
        """``read`` reads the settings of the one tenant, or of all where there are ``named`` ones; each its own."""
        self.settings = read()
        self.notifier = Notifier()
        self._read = read
        self._named = named
        self._sync = sync
        self._mcp = mcp
        self._tenants: Sequence[ServedTenant] = ()
        self._server: Server | None = None
        self._asked = False
        self._silent_since: float | None = None

    def ask_to_reload(self) -> None:
        """Have settings read again soon; may be called by a signal's handler."""
        self._asked = True

    def begin(self, started: ExitStack) -> None:
        """Begin everything; what was begun is stopped by ``started``, the last one first."""
        if self._named:
            self._tenants = prepared(self.settings, self._named, sync=self._sync, mcp=self._mcp)
        else:
            self._tenants = [ServedTenant.prepare("", self.settings, self._read, sync=self._sync, mcp=self._mcp)]
        for tenant in self._tenants:
            started.callback(tenant.stop_syncing)
        if self._mcp:
            self._server = serve_all(self.settings, self._tenants) if self._named else serve_one(self._tenants[0])
            started.callback(self._server.stop)
        for tenant in self._tenants:
            started.enter_context(checks_told(tenant.settings))
            tenant.begin()

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
            self.notifier.status(" ".join(tenant.status() for tenant in self._tenants))
            self.notifier.feed()
            return
        log.error("%s gives no sign of life.", silent, extra=trouble("serve.silent"))
        self.notifier.status(f"{silent} gives no sign of life.")
        now = time.monotonic()
        self._silent_since = self._silent_since or now
        if now - self._silent_since > _SILENT_SECONDS and not self.notifier.is_watched:
            raise ServerEnded(f"{silent} gives no sign of life for {_SILENT_SECONDS / 60:g} minutes. Start it again.")

    def _silent(self) -> str:
        if silent := next((tenant for tenant in self._tenants if not tenant.alive), None):
            return f"The scheduler{f' of {silent.name}' if silent.name else ''}"
        return "The HTTP server" if self._server and self._server.started and not self._server.alive else ""

    # -- settings that are read again ----------------------------------------------------------------------------------

    def _reload(self) -> None:
        """Read settings again; what is wrong with them is told, and changes nothing. Of several each is by itself."""
        self.notifier.reloading()
        for tenant in self._tenants:
            tenant.reload()
        if self._named:
            with suppress(ConfigurationError):  # told of each tenant
                self.settings = self._read()
        else:
            self.settings = self._tenants[0].settings
        log_to_stderr(self.settings, LEVEL)
        self.notifier.ready()
