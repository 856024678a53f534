"""One tenant of a ``serve``: what syncs it, and which settings of it hold."""

import logging
from collections.abc import Callable
from typing import Self

from kandji_cli.reload import Change, compared, refused
from kandji_cli.serve_words import promise, say, tell_remarks, warn
from kandji_mcp_server.background import Background
from kandji_mirror.api.client import token_mark
from kandji_mirror.api.credentials import token
from kandji_mirror.scheduler.service import Scheduler, scheduler_of
from kandji_mirror.sync.planner import parse_ttl_overrides
from kandji_schema.errors import ConfigurationError
from kandji_schema.events import about, lines_of
from kandji_schema.manifest import generations
from kandji_schema.registry import resources
from kandji_schema.setting import PREFIX
from kandji_schema.settings import Settings

Read = Callable[[], Settings]
"""Reads settings anew."""

log = logging.getLogger(__name__)


class ServedTenant:
    """What is synced of one tenant and answered from; ``name`` is empty where it has none."""

    def __init__(self, name: str, settings: Settings, read: Read, scheduler: Scheduler | None, *, sync: bool) -> None:
        """``settings`` are those that hold; nothing begins yet."""
        self.name = name
        self.settings = settings
        self.background = Background(settings, scheduler=scheduler)
        self._read = read
        self._sync = sync
        self._scheduler = scheduler
        self._token = ""

    @classmethod
    def prepare(cls, name: str, settings: Settings, read: Read, *, sync: bool, mcp: bool) -> Self:
        """Look at everything that can be wrong before it begins.

        :class:`ConfigurationError` for a wrong setting, or where it could do nothing at all: neither sync nor, of the
        one tenant there is, answer from what is mirrored.
        """
        parse_ttl_overrides(
            settings.mirror_ttl, resources()
        )  # a broken one is no missing token: nothing begins with it
        tell_remarks(settings)
        scheduler = _scheduler(name, settings, only_reading=mcp) if sync else None
        return cls(name, settings, read, scheduler, sync=sync)

    @property
    def alive(self) -> bool:
        """Whether the threads that sync go on."""
        return self._scheduler is None or self._scheduler.alive

    def begin(self) -> None:
        """Begin syncing, where that is wanted and set up."""
        if self._scheduler:
            say(self.settings, f"{self._prefix}{promise(self.settings)}", "serve.syncing")
            self._start(self._scheduler)

    def status(self) -> str:
        """Say in a sentence how it is, for who looks after the service."""
        return f"{self._prefix}{self._state()}"

    def reload(self) -> None:
        """Read settings again; what is wrong with them is told, and changes nothing."""
        with lines_of(self.settings.mirror_tenant):
            try:
                change = compared(self.settings, self._read())
                self._take(change, self._successor(change))
            except ConfigurationError as error:
                log.error("%s%s", self._prefix, refused(error), extra=about("settings.refused"))

    def stop_syncing(self) -> None:
        """End what syncs, and tell where it leaves a table as it was."""
        if self._scheduler and not self._scheduler.stop():
            words = f"{self._prefix}A table is still being written; it keeps its previous rows."
            say(self.settings, words, "serve.unfinished")

    @property
    def _prefix(self) -> str:
        return f"{self.name}: " if self.name else ""

    def _state(self) -> str:
        if self._scheduler is None:
            return "Answering; nothing is synced from here."
        if self._scheduler.resting:
            return "Syncing rests and is tried again; the log tells why."
        return (
            "In sync." if self._scheduler.syncing else "Waiting: another process syncs, or the store is being opened."
        )

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
        self.settings, before = change.settings, self._token
        if successor:
            self.stop_syncing()
            self.background.use(successor)
            self._start(successor)
        other = successor and before not in {"", self._token} and not {*change.now} & {f"{PREFIX}API_TOKEN"}
        stored = " The stored API token is another one." if other else ""
        words = f"{self._prefix}{change.words}{stored}{' Syncing begins anew.' if successor else ''}"
        log.info("%s", words, extra=about("settings.read", now=change.now, restart=change.later))

    def _start(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._token = token_mark(token(self.settings))
        scheduler.start()


def _scheduler(name: str, settings: Settings, *, only_reading: bool) -> Scheduler | None:
    """Return what syncs; None, and a word about it, where that is not set up but there is something to answer.

    Of several tenants one that has no token yet is served, and its pages tell so.
    """
    try:
        return scheduler_of(settings)
    except ConfigurationError as error:
        if not (only_reading and (name or generations(settings.home))):
            raise
        of = f"of {name} " if name else ""
        words = f"nothing {of}is synced from here, answers come from what is mirrored: {error}"
        warn(settings, words, "sync.off")
        return None
