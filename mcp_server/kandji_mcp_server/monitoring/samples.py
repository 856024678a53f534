"""A value of a metric, and what all values are read from."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from kandji_mcp_server.context import ServerContext
from kandji_mcp_server.tally import Times
from kandji_mirror.api.endpoint import base_url
from kandji_mirror.run_log import newest_pass
from kandji_mirror.scheduler.service import Scheduler
from kandji_schema.errors import ConfigurationError
from kandji_schema.home import mirrored, name_here
from kandji_schema.settings import Settings


@dataclass(frozen=True)
class Sample:
    """One value: ``name`` as in ``METRICS``, ``labels`` those of its definition besides the tenant, in order."""

    name: str
    value: float | Times
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class CheckCounts:
    """How the checks of a home stand."""

    on: int = 0
    without_answer: int = 0
    findings: int = 0
    waiting: int = 0
    failed: int = 0


@dataclass
class Watched:
    """One tenant of this process. ``contexts`` read its mirror; those who count its ``checks`` live elsewhere.

    ``since`` is the number of the newest record of runs when counting began.
    """

    tenant: str
    contexts: tuple[ServerContext, ...]
    checks: Callable[[], CheckCounts] | None = None
    since: int = field(init=False)

    def __post_init__(self) -> None:
        self.since = newest_pass(self.home)

    @property
    def context(self) -> ServerContext:
        """The context everybody reads by."""
        return self.contexts[0]

    @property
    def home(self) -> Path:
        """The data directory."""
        return self.context.home

    @property
    def scheduler(self) -> Scheduler | None:
        """What syncs in this process; None where nothing does."""
        return self.context.background.scheduler if self.context.background else None

    def now(self) -> datetime:
        """Return the time, aware UTC."""
        return self.context.clock()


Part = Callable[[], Iterator[Sample]]
"""Reads the metrics that come from one place."""


def tenant_label(settings: Settings) -> str:
    """Return what a tenant is called in metrics: its profile's name, else its home's, else the settings'."""
    if found := settings.mirror_tenant or mirrored(settings.home):
        return found
    try:
        return name_here(settings, base_url(settings))
    except ConfigurationError:
        return ""
