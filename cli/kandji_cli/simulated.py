"""A simulated tenant as ``demo`` and ``simulate`` ask for it: its fleet, its past, its pace and what goes wrong."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kandji_cli.output import tell
from kandji_mirror.history.given import GivenChange
from kandji_mirror.store.past import give_past
from kandji_schema.durations import parse_duration
from kandji_schema.errors import UsageError
from kandji_schema.provider import tenant_name
from kandji_schema.registry import tenant_tables
from kandji_schema.settings import Settings
from kandji_simulator import Tenant, World
from kandji_simulator.api.boxes import untick
from kandji_simulator.api.fault_words import fault_of
from kandji_simulator.simulation.past import Past

ANSWERING = 5.0
"""Seconds after which an invented device carries out a command."""

LONGEST_PAST = 400
"""Days; as many as history is kept."""


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """What was asked for: how many ``devices`` with about so many ``apps``, drawn from a ``seed``, ``days`` old.

    ``pace`` 0 lets it stand still. ``forbidden`` and ``faults`` are as they were typed.
    """

    devices: int
    apps: int
    seed: int
    days: int = 0
    pace: float = 0.0
    forbidden: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Simulated:
    """A tenant, and what changed in it since ``since``, in order."""

    tenant: Tenant
    since: datetime
    changes: tuple[GivenChange, ...]

    def give_past(self, settings: Settings) -> None:
        """Let the home, which was synced from this tenant, have its past; not where its rows are to be masked."""
        if not self.changes:
            return
        if settings.privacy.masks_people or settings.privacy.masks_agents:
            tell("No past: it would be written in clear, and this home is to be masked.")
        elif settings.mirror_history_days:
            give_past(settings.home, tenant_name(settings.api_url), self.changes, since=self.since)


def days_of(text: str) -> int:
    """Return the days of ``90d`` or ``12w``; ``0d`` is no past. Raises :class:`UsageError`."""
    length = parse_duration(text, units="dw")
    if length is None or length > timedelta(days=LONGEST_PAST):
        raise UsageError(f"--history {text!r} is not a length in days or weeks up to {LONGEST_PAST}d: 90d, 12w.")
    return length.days


def simulate_fleet(fleet: Fleet) -> Simulated:
    """Make the tenant; its clock stands at this moment, so that "not seen for 30 days" means something.

    Raises :class:`UnknownName` and :class:`UsageError` for what cannot be forbidden or go wrong.
    """
    since = datetime.now(UTC) - timedelta(days=fleet.days)
    world = World(fleet.seed, fleet.devices, apps_per_device=fleet.apps, start=since)
    faults = [fault_of(text) for text in fleet.faults]
    tables = {name: resource for name, resource in tenant_tables().items() if resource.tracked}
    past = Past(world, fleet.days, tables).live() if fleet.days else ()
    changes = tuple(GivenChange(tables[c.table], c.at, c.before, c.after) for c in past)
    tenant = Tenant(world, answering=ANSWERING, pace=fleet.pace)
    for name in fleet.forbidden:
        tell(f"The token may not: {untick(tenant, name)}.")
    tenant.faults += faults
    return Simulated(tenant, since, changes)
