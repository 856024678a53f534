"""What a first sync will cost, before it is begun: from what the provider says there are, not from reading it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from kandji_mirror.api.client import Client
from kandji_mirror.api.permissions import Permission
from kandji_mirror.api.prism import count
from kandji_mirror.sync.strategy import StrategyInputs, full_load_cost, pages_of
from kandji_schema.provider import PAGE_ROWS, REQUESTS_PER_SECOND
from kandji_schema.registry import tenant_tables
from kandji_schema.resource import Paging, Resource

SIDE_BY_SIDE = 8
"""Requests that are under way at a time, about."""

ROWS_A_SECOND = 10_000
"""Rows that become part of a file in a second, about."""

EXPORT_SECONDS = 10.0
"""How long an export is waited for, about; all of them are waited for together."""

LISTS_A_BLUEPRINT = 3
"""Library items of a blueprint that no other has, about: the activity of each is a list of its own."""


@dataclass(frozen=True)
class Estimate:
    """A first sync: ``rows`` the provider counts, ``requests`` of which ``swept`` go device by device, and its time.

    ``devices`` are those listed; ``sweep_tables`` cost a request a device each, over the time that follows.
    """

    tables: int
    rows: int
    requests: int
    swept: int
    seconds: float
    devices: int
    sweep_tables: int


def estimate(client: Client, granted: Iterable[Permission], *, sweep: int, seconds_a_request: float) -> Estimate:
    """Ask for the count of each Prism table, one small request each; of the other tables ``granted`` tells.

    ``sweep`` are the requests that a sync may spend device by device, ``seconds_a_request`` what one took till now.
    """
    permissions = [permission for permission in granted if permission.granted]
    readable = {name for permission in permissions for name in permission.tables}
    told = {permission.tables[0]: permission.rows for permission in permissions}
    tables = {name: found for name, found in tenant_tables().items() if name in readable}
    rows = {name: _rows(client, found, told) for name, found in tables.items() if found.parent is None}
    devices, blueprints = rows.get("devices", 0), rows.get("blueprints", 0)
    swept_tables = [found for found in tables.values() if found.swept]
    swept = min(sweep, devices * len({found.path for found in swept_tables}))
    inputs = StrategyInputs(now=datetime.now(UTC), readable=True)
    costs = [_cost(found, rows.get(name, 0), blueprints, inputs) for name, found in tables.items() if not found.swept]
    requests = sum(costs) + swept
    exported = any(found.paging is Paging.PRISM and _is_exported(rows[name], inputs) for name, found in tables.items())
    network = max(requests / REQUESTS_PER_SECOND, requests * seconds_a_request / SIDE_BY_SIDE)
    return Estimate(
        tables=len(tables),
        rows=sum(rows.values()),
        requests=requests,
        swept=swept,
        seconds=network + sum(rows.values()) / ROWS_A_SECOND + (EXPORT_SECONDS if exported else 0.0),
        devices=devices,
        sweep_tables=len(swept_tables),
    )


def _rows(client: Client, resource: Resource, told: Mapping[str, int | None]) -> int:
    """Return the rows of a table that the provider counts; 0 where it counts none, which is one page."""
    if resource.paging is Paging.PRISM:
        found = count(client, resource)
        return found.rows if found else 0
    return told.get(resource.name) or 0


def _is_exported(rows: int, inputs: StrategyInputs) -> bool:
    return full_load_cost(rows, PAGE_ROWS, inputs) != 1 + pages_of(rows, PAGE_ROWS)


def _cost(resource: Resource, rows: int, blueprints: int, inputs: StrategyInputs) -> int:
    """Return the requests of one table that is not swept."""
    if resource.paging is Paging.PRISM:
        return full_load_cost(rows, resource.page_size or PAGE_ROWS, inputs)
    if resource.parent == "blueprints":
        return blueprints
    if resource.parent is not None:
        return blueprints * LISTS_A_BLUEPRINT
    return pages_of(rows, resource.page_size or PAGE_ROWS)
