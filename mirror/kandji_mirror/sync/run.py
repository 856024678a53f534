"""The entry: whoever brings tables up to date begins here, with a request or with what makes one.

A request is carried out by a run over whole tables or, for some devices, by a run over these; either ends in a report.
"""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from kandji_mirror.api.client import Client
from kandji_mirror.api.server_clock import clock_words
from kandji_mirror.capabilities import SyncState, open_state
from kandji_mirror.report import NoProgress, Progress, Report
from kandji_mirror.state import Now, utc_now
from kandji_mirror.store.masked_files import run_engine
from kandji_mirror.store.opening import open_store
from kandji_mirror.store.store import Store
from kandji_mirror.store.upgrade import let_copy_go
from kandji_mirror.sync.context import RunContext
from kandji_mirror.sync.device_run import DeviceRun
from kandji_mirror.sync.request import Refusals, SyncRequest, Ttl, device_request
from kandji_mirror.sync.table_run import TableRun
from kandji_schema.disk import UNBOUNDED, DiskBounds
from kandji_schema.manifest import State
from kandji_schema.privacy import Privacy
from kandji_schema.registry import resources as all_resources
from kandji_schema.registry import tenant_table, tenant_tables

__all__ = ["SyncRequest", "run_request", "sync", "sync_devices"]

KEEP_DAYS = 400
"""Days of history unless a setting says otherwise."""


def sync(
    home: Path,
    tenant: str,
    client: Client,
    *,
    names: Sequence[str] = (),
    everything: bool = False,
    sweep: int | None = None,
    ttls: Mapping[str, Ttl] | None = None,
    keep_days: int = KEEP_DAYS,
    progress: Progress | None = None,
    privacy: Privacy = Privacy.OFF,
    wall: Now = utc_now,
    disk: DiskBounds = UNBOUNDED,
) -> Report:
    """Bring the named tables up to date, or those that are due; with ``everything`` they, or all, are read anew.

    ``sweep`` bounds the requests for tables that cost one a device, unless they are named. ``privacy`` is what is
    written; what is there already is masked first where it wants that. Tables that the provider refused a short while
    ago are not due. A table that fails keeps its previous rows and is told in the report. Raises
    :class:`AlreadySyncing`, :class:`ConfigurationError` (a wrong token stops the run) and :class:`StoreError`. Tables
    that were complete before such an end, or before Ctrl-C, are published all the same.
    """
    named = [tenant_table(name) for name in dict.fromkeys(names)]
    if any(resource.swept or resource.fallback for resource in named):
        sweep = None
    with (
        open_store(home, tenant, all_resources(), wall, privacy=privacy, disk=disk) as store,
        open_state(home, wall) as state,
    ):
        given = ttls or {}
        states, now = store.current.tables, wall()
        refusals = Refusals(state.capabilities, client.token_mark)
        wanted = named or [
            r for r in tenant_tables().values() if everything or refusals.is_due(r, states, now, given.get(r.name))
        ]
        only_due = not (everything or named)
        request = SyncRequest(
            tuple(r.name for r in wanted), asked=True, whole=everything, sweep=sweep, only_due=only_due
        )
        return _run(store, client, request, state, given, progress or NoProgress(), keep_days)


def sync_devices(
    home: Path,
    tenant: str,
    client: Client,
    devices: Sequence[str],
    *,
    names: Sequence[str] = (),
    keep_days: int = KEEP_DAYS,
    progress: Progress | None = None,
    privacy: Privacy = Privacy.OFF,
    wall: Now = utc_now,
    disk: DiskBounds = UNBOUNDED,
) -> Report:
    """Bring the rows of some devices, by identifier, up to date in the named tables, or in all that have any.

    They are published at one moment. A device that the tenant no longer has is closed. An outcome tells how the devices
    fared in a table. Raises as :func:`sync` does, :class:`NothingMirrored`, and what stands against the device list.
    """
    request = device_request(devices, names)
    with open_store(home, tenant, all_resources(), wall, privacy=privacy, disk=disk) as store:
        return run_request(store, client, request, progress=progress, keep_days=keep_days)


def run_request(
    store: Store,
    client: Client,
    request: SyncRequest,
    *,
    ttls: Mapping[str, Ttl] | None = None,
    progress: Progress | None = None,
    keep_days: int = KEEP_DAYS,
) -> Report:
    """Carry out a request. Several may run at once on one store, as long as no table is in two of them.

    ``ttls`` become the times to live the published states tell. Raises as :func:`sync` does.
    """
    with open_state(store.home, store.wall) as state:
        return _run(store, client, request, state, ttls or {}, progress or NoProgress(), keep_days)


def _run(
    store: Store,
    client: Client,
    request: SyncRequest,
    state: SyncState,
    ttls: Mapping[str, Ttl],
    progress: Progress,
    keep_days: int,
) -> Report:
    began, clock, requests = store.wall(), time.monotonic(), client.requests
    client.server_clock.recall(state.clock.last())
    with run_engine(store) as engine:
        context = RunContext(
            store=store,
            engine=engine,
            client=client,
            state=state,
            progress=progress,
            request=request,
            keep_days=keep_days,
        )
        run = DeviceRun(context) if request.devices else TableRun(context, ttls)
        progress.planned(request.names)
        run.execute()
    state.clock.note(client.server_clock.seen)
    report = Report(
        started_at=began,
        seconds=round(time.monotonic() - clock, 3),
        outcomes=tuple(run.outcomes),
        fresh=tuple(name for name in tenant_tables() if name not in request.names),
        requests=client.requests - requests,
        remaining_hour=client.remaining_hour,
        generation=run.generation,
        warnings=(*store.warnings, *filter(None, [store.tight]), *_clock_warnings(client)),
        outage=run.outage,
        not_permitted=_in_state(store, State.FORBIDDEN),
        not_offered=_in_state(store, State.ABSENT),
        partial=_in_state(store, State.PARTIAL),
    )
    let_copy_go(store, report)
    return report


def _clock_warnings(client: Client) -> tuple[str, ...]:
    ahead = client.server_clock.proven
    return () if ahead is None else (f"{clock_words(ahead)} What was read is dated by the provider's.",)


def _in_state(store: Store, state: State) -> tuple[str, ...]:
    return tuple(name for name, table in store.current.tables.items() if table.state is state)
