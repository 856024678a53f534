"""What a pass over one table works with."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Semaphore

from kandji_mirror.api.client import Client
from kandji_mirror.api.counts import Count, count
from kandji_mirror.capabilities import Capability, SyncState
from kandji_mirror.ingest.engine import Engine
from kandji_mirror.ingest.staging import Staging
from kandji_mirror.privacy.twins import twinned
from kandji_mirror.report import Progress
from kandji_mirror.store.store import Store
from kandji_mirror.sync.completeness import Cleared, refuse_unproven
from kandji_mirror.sync.devices import Fleet
from kandji_mirror.sync.request import Order
from kandji_mirror.sync.strategy import Facts
from kandji_schema import ddl
from kandji_schema.errors import ServerFault
from kandji_schema.manifest import TableState
from kandji_schema.resource import Resource

BACKGROUND_FLOOR = 4_000
"""With fewer requests left in the tenant's hour nothing is asked for that nobody waits for."""

BACKGROUND_COST = 40
"""More requests than this are not spent on a doubt while nobody waits."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One table in one run.

    ``engine`` is the run's DuckDB. ``turn`` is held while the table works and let go while it waits. ``fleet`` tells
    the devices the tenant lists, None where that is not known, and ``fleet_is_new`` whether this run read them.
    ``parents`` are key values of the parent's rows, where there is a parent. ``told`` are devices of which one answer
    to a direct question told all rows, which are in the newest staging. ``troubles`` are what went wrong though there
    are rows.
    """

    store: Store
    engine: Engine
    client: Client
    resource: Resource
    state: SyncState
    progress: Progress
    order: Order
    turn: Semaphore
    fleet: Callable[[], Fleet | None]
    fleet_is_new: Callable[[], bool] = lambda: False
    parents: Sequence[tuple[str, ...]] = ()
    told: set[str] = field(default_factory=set)
    troubles: list[str] = field(default_factory=list)

    @property
    def previous(self) -> TableState:
        """The table as it is published now."""
        return self.store.current.tables[self.resource.name]

    @property
    def live(self) -> Path | None:
        """The published data file, where it has the columns of this version."""
        same_columns = self.previous.ddl[0] == ddl.statements(self.resource)[0]
        return self.store.data_file(self.resource.name) if same_columns else None

    def lacks(self, capability: Capability, *, seen: str | None = None) -> bool:
        """Whether the provider was seen to lack something for this table, which is believed still."""
        return self.state.capabilities.lacks(self.resource.name, capability, seen=seen)

    def note_lack(self, capability: Capability, seen: str) -> None:
        """Remember that the provider lacks something for this table; ``seen`` says how that showed."""
        self.state.capabilities.note_lack(self.resource.name, capability, seen)

    def facts(self) -> Facts:
        """What the choice of a method depends on."""
        return Facts(
            now=self.store.wall(),
            readable=self.live is not None,
            whole=self.order.whole,
            increments=not self.lacks(Capability.UPDATED_AT_FILTER),
            exports=not self.lacks(Capability.EXPORT),
            prism=self.order.again or not self.lacks(Capability.PRISM, seen=self.client.token_mark),
        )

    def count(self) -> Count | None:
        """The provider's count; None where there is none, or where it kept being broken, which is noted as trouble."""
        if self.troubles:
            return None
        try:
            return count(self.client, self.resource)
        except ServerFault as error:
            self.troubles.append(f"The rows could not be compared with the provider's count: {error}")
            return None

    def may_ask_devices(self) -> bool:
        """Whether the rows of this table can be asked for by device, as far as is known."""
        return bool(self.resource.category) and not self.lacks(Capability.DEVICE_FILTER)

    def knows_gone(self, device: str) -> bool:
        """Whether the tenant does not list the device any more: this run's own list of devices says so."""
        fleet = self.fleet() if self.fleet_is_new() else None
        return fleet is not None and device not in fleet

    def affordable(self, requests: int) -> bool:
        """Whether so many requests may be spent on making sure of something."""
        left = self.client.remaining_hour
        roomy = left is None or left >= BACKGROUND_FLOOR
        return self.order.asked or (roomy and requests <= BACKGROUND_COST)

    @contextmanager
    def room(self) -> Iterator[tuple[Staging, Path]]:
        """A staging for the table's rows, and the path of its next data file; both are temporary."""
        with self.store.scratch(self.resource.name) as (scratch, target), self.staging(scratch) as staging:
            yield staging, target

    def staging(self, scratch: Path) -> Staging:
        """A staging in a scratch file. All tables of a run share one engine: to open one costs more than a merge."""
        masked = self.store.privacy.masks_people
        self.told.clear()  # what was told went into another staging
        return Staging(self.resource, scratch, engine=self.engine, masked=masked)

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """Let another table work meanwhile."""
        self.turn.release()
        try:
            yield
        finally:
            self.turn.acquire()

    def admitted(self, target: Path, cleared: Cleared, touched: Collection[str] | None = None) -> TableState:
        """The previous state with a finished file in place of the old one, and with a masked twin where one is wanted.

        ``touched`` are the first keys whose rows differ from the previous file's; None where they may be any. Every
        data file comes through here: :class:`Suspicious` for one that lacks rows which were not ``cleared``.
        """
        if self.live:
            refuse_unproven(self.engine, self.resource, self.live, target, cleared, touched)
        size = target.stat().st_size
        file = self.store.admit(self.resource.name, target)
        state = replace(self.previous, ddl=ddl.statements(self.resource), file=file, bytes=size)
        return twinned(self.store, self.engine, self.resource, state, touched=touched)
