"""Reading from the tenant now: ``refresh``."""

from collections.abc import Iterable
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

from anyio import sleep, to_thread
from mcp.server.mcpserver import Context
from mcp.types import CallToolResult
from pydantic import Field

from kandji_mcp_server.answers import Absent, RefreshAnswer, result
from kandji_mcp_server.mirror import Mirror
from kandji_mcp_server.refreshing import Flight, device_run, tables_run
from kandji_queries import finding
from kandji_queries.values import moment
from kandji_schema.ages import age
from kandji_schema.errors import ConfigurationError, UnknownName, UsageError
from kandji_schema.manifest import State, newest_whole

if TYPE_CHECKING:
    from kandji_mirror.scheduler.scheduler import Scheduler

LOAD_SECONDS = 20.0
"""What loading the scheduler may take; it is a second or two."""

LOOK_SECONDS = 0.1

COLUMNS = ["table", "state", "rows", "as_of", "age", "error"]


async def refresh(
    ctx: Context[Mirror],
    tables: Annotated[list[str] | Absent, Field(description="Tables to read, such as devices and apps.")] = None,
    device: Annotated[str | Absent, Field(description="Instead: one device, in all its tables.")] = None,
    wait_seconds: Annotated[int, Field(ge=0, le=300)] = 45,
) -> Annotated[CallToolResult, RefreshAnswer]:
    """Read tables, or one device, from the tenant now: only when a question needs younger data than there is.

    It changes the mirror, never the tenant, and spends requests of the tenant's hour. done=false: it still goes on.
    """
    mirror = ctx.request_context.lifespan_context
    names, device_id = await _asked(mirror, tables, device)
    scheduler = await to_thread.run_sync(_scheduler, mirror)
    if device_id is None:
        flight = mirror.refreshing.begin(("tables", *names), tables_run(scheduler, names))
    else:
        flight = mirror.refreshing.begin(("device", device_id), device_run(scheduler, device_id))
    await _wait(ctx, flight, wait_seconds)
    return result(await to_thread.run_sync(_told, mirror, flight, names, wait_seconds))


async def _asked(mirror: Mirror, tables: list[str] | None, device: str | None) -> tuple[tuple[str, ...], str | None]:
    """The tables, or the identifier of the device; :class:`UsageError` for neither and for both."""
    if bool(tables) == bool(device):
        raise UsageError("Name either tables, such as ['devices'], or one device.")
    if device is not None:
        found = await mirror.ask(lambda reader: finding.only(reader, device))
        return (), str(found["device_id"])
    return await to_thread.run_sync(_known, tables or []), None


def _known(tables: Iterable[str]) -> tuple[str, ...]:
    from kandji_schema.registry import resources  # with it comes sqlmodel

    for name in tables:
        if name not in resources():
            raise UnknownName("table", name, resources())
    return tuple(sorted(set(tables)))


def _scheduler(mirror: Mirror) -> "Scheduler":
    if mirror.background is None:
        raise ConfigurationError("This server only reads the mirror. `kandji-mirror sync` reads from the tenant.")
    return mirror.background.ready(LOAD_SECONDS)


async def _wait(ctx: Context[Mirror], flight: Flight, seconds: int) -> None:
    """Until it is done or the time is over, telling who listens how far it is."""
    told, ends = -1, monotonic() + seconds
    while not flight.done.done() and monotonic() < ends:
        if flight.steps > told:
            told = flight.steps
            await ctx.report_progress(told, message=flight.words)
        await sleep(LOOK_SECONDS)


def _told(mirror: Mirror, flight: Flight, names: tuple[str, ...], waited: int) -> RefreshAnswer:
    if not flight.done.done():
        notes = [f"Still reading after {waited} s ({flight.words}). It goes on; sync_status tells when it is done."]
        return RefreshAnswer(notes=notes, done=False, columns=COLUMNS, tables=[])
    report = flight.done.result()
    errors = {outcome.table: outcome.error or outcome.note for outcome in report.outcomes}
    rows = _lines(mirror, names or tuple(errors), errors)
    failed = [row[0] for row in rows if row[1] != State.OK.value]
    notes = [f"Not as it should be: {', '.join(failed)}; these kept their previous rows."] if failed else []
    return RefreshAnswer(notes=[*notes, *report.warnings], done=True, columns=COLUMNS, tables=rows)


def _lines(mirror: Mirror, names: tuple[str, ...], errors: dict[str, str | None]) -> list[list[Any]]:
    manifest, _ = newest_whole(mirror.home)
    states = [manifest.tables[name] for name in names if name in manifest.tables]
    now = mirror.clock()
    return [
        [
            state.name,
            state.state.value,
            state.rows,
            state.synced_at and moment(state.synced_at.replace(microsecond=0)),
            age(state.synced_at, now),
            errors.get(state.name),
        ]
        for state in states
    ]
