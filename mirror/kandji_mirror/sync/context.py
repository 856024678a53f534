"""What a run, and one pass over one table in it, know and work with: one frozen record, handed from step to step."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Semaphore

from kandji_mirror.api.client import Client
from kandji_mirror.api.prism import Count, count
from kandji_mirror.capabilities import Capability, SyncState
from kandji_mirror.ingest.engine import Engine
from kandji_mirror.ingest.file_queries import watermark
from kandji_mirror.ingest.staging import Staging
from kandji_mirror.report import Outcome, Progress
from kandji_mirror.store.store import Store
from kandji_mirror.sync.devices import Fleet
from kandji_mirror.sync.request import SyncRequest
from kandji_mirror.sync.strategy import StrategyInputs, full_load_cost
from kandji_schema import ddl
from kandji_schema.errors import ServerFault
from kandji_schema.manifest import TableState, data_dir
from kandji_schema.provider import BACKGROUND_SLOWS_BELOW
from kandji_schema.resource import Resource

BACKGROUND_COST = 40
"""More requests than this are not spent on a doubt while nobody waits."""


TABLES_AT_ONCE = 4
"""Prism's cursor pages come one after the other, so categories are read side by side."""


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """One run: what all its tables share.

    ``engine`` is the run's DuckDB. ``turn`` is held while a table works and let go while it waits. Changes are kept for
    ``keep_days``.
    """

    store: Store
    engine: Engine
    client: Client
    state: SyncState
    progress: Progress
    request: SyncRequest
    keep_days: int
    turn: Semaphore = field(default_factory=lambda: Semaphore(TABLES_AT_ONCE))

    def published(self, resource: Resource) -> TableState:
        """Return the table as it is published now."""
        return self.store.current.tables[resource.name]

    def file_of(self, state: TableState) -> Path:
        """Return the path of the data file that a state names."""
        return data_dir(self.store.home) / str(state.file)

    def finish(self, outcomes: list[Outcome], outcome: Outcome) -> None:
        """Take note of how a table fared."""
        outcomes.append(outcome)
        self.progress.finished(outcome)

    def pass_over(
        self,
        resource: Resource,
        fleet: Callable[[], Fleet | None],
        *,
        client: Client | None = None,
        fleet_is_new: Callable[[], bool] = lambda: False,
        parents: Sequence[tuple[str, ...]] = (),
    ) -> "PassContext":
        """Return the context of a pass over one table; a ``client`` of its own counts its requests."""
        shared = {**vars(self), "client": client or self.client}
        return PassContext(**shared, resource=resource, fleet=fleet, fleet_is_new=fleet_is_new, parents=parents)


@dataclass(frozen=True, kw_only=True)
class TableContext:
    """One table whose next data file is made: the store, the run's DuckDB, and what is published of it."""

    store: Store
    engine: Engine
    resource: Resource

    @property
    def previous(self) -> TableState:
        """The table as it is published now."""
        return self.store.current.tables[self.resource.name]

    @property
    def current_file(self) -> Path | None:
        """The published data file, where it has the columns of this version."""
        same_columns = self.previous.ddl[0] == ddl.statements(self.resource)[0]
        return self.store.data_file(self.resource.name) if same_columns else None

    @contextmanager
    def workspace(self) -> Iterator[tuple[Staging, Path]]:
        """Lend a staging for the table's rows, and the path of its next data file; both are temporary."""
        with self.store.scratch(self.resource.name) as (scratch, target), self.new_staging(scratch) as staging:
            yield staging, target

    def new_staging(self, scratch: Path) -> Staging:
        """Return a staging in a scratch file, in the run's engine: to open one costs more than a merge."""
        return Staging(self.resource, scratch, engine=self.engine, masked=self.store.privacy.masks_people)


@dataclass(frozen=True, kw_only=True)
class PassContext(RunContext, TableContext):
    """One table in one run.

    ``fleet`` tells the devices the tenant lists, None where that is not known, and ``fleet_is_new`` whether this run
    read them. ``parents`` are key values of the parent's rows, where there is a parent. ``complete_devices`` are
    devices of which one answer to a direct query told all rows, which are in the newest staging. ``problems`` are what
    went wrong though there are rows.
    """

    fleet: Callable[[], Fleet | None]
    fleet_is_new: Callable[[], bool]
    parents: Sequence[tuple[str, ...]]
    complete_devices: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    # -- the server ------------------------------------------------------------------------------------------------

    def lacks(self, capability: Capability, *, seen: str | None = None) -> bool:
        """Return whether the provider was seen to lack something for this table, which is believed still."""
        return self.state.capabilities.lacks(self.resource.name, capability, seen=seen)

    def note_lack(self, capability: Capability, seen: str) -> None:
        """Remember that the provider lacks something for this table; ``seen`` says how that showed."""
        self.state.capabilities.note_lack(self.resource.name, capability, seen)

    def strategy_inputs(self) -> StrategyInputs:
        """Return what the choice of a method depends on."""
        return StrategyInputs(
            now=self.store.wall(),
            readable=self.current_file is not None,
            whole=self.request.whole,
            increments=not self.lacks(Capability.UPDATED_AT_FILTER),
            exports=not self.lacks(Capability.EXPORT),
            prism=self.request.again or not self.lacks(Capability.PRISM, seen=self.client.token_mark),
        )

    def count(self) -> Count | None:
        """Ask for the provider's count; None where there is none, or where it stays broken, which is a problem."""
        if self.problems:
            return None
        try:
            return count(self.client, self.resource)
        except ServerFault as error:
            self.problems.append(f"The rows could not be compared with the provider's count: {error}")
            return None

    def may_query_devices(self) -> bool:
        """Return whether the rows of this table can be asked for by device, as far as is known."""
        return bool(self.resource.category) and not self.lacks(Capability.DEVICE_FILTER)

    def knows_gone(self, device: str) -> bool:
        """Return whether the tenant does not list the device any more: this run's own list of devices says so."""
        fleet = self.fleet() if self.fleet_is_new() else None
        return fleet is not None and device not in fleet

    def can_afford(self, requests: int) -> bool:
        """Return whether so many requests may be spent on making sure of something."""
        left = self.client.remaining_hour
        roomy = left is None or left >= BACKGROUND_SLOWS_BELOW
        return self.request.asked or (roomy and requests <= BACKGROUND_COST)

    def full_load_cost(self, rows: int) -> int:
        """Return the requests a full load of ``rows`` rows takes, about."""
        return full_load_cost(rows, self.resource.page_size, self.strategy_inputs())

    def newest(self, file: Path, column: str = "updated_at") -> datetime | None:
        """Return the newest moment of a column in a Prism table's data file, aware UTC; None where no row has one."""
        return watermark(self.engine, file, self.resource, self.client.provider_now, column)

    # -- rows on their way -----------------------------------------------------------------------------------------

    def new_staging(self, scratch: Path) -> Staging:
        """See :class:`TableContext`."""
        self.complete_devices.clear()  # their rows went into another staging
        return super().new_staging(scratch)

    @contextmanager
    def turn_released(self) -> Iterator[None]:
        """Let another table work meanwhile."""
        self.turn.release()
        try:
            yield
        finally:
            self.turn.acquire()
