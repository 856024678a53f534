"""How often every table is read, so that all of them together fit the background's share of the hour.

Nothing here does anything: from what the last passes found and cost, it is worked out what the next ones will, and
where that is too much, tables are read less often, the least important ones first.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches

from kandji_mirror.sync.filtered_pages import OVERLAP
from kandji_mirror.sync.request import Ttl
from kandji_mirror.sync.strategy import EXPORT_REQUESTS, FEW_ROWS, Method, pages_of
from kandji_schema.durations import exactly_in_words, parse_duration
from kandji_schema.errors import ConfigurationError
from kandji_schema.manifest import TableState
from kandji_schema.provider import BACKGROUND_SLOWS_BELOW, PAGE_ROWS
from kandji_schema.resource import Paging, Resource

SWEEP_SHARE = 0.9
"""Sweeps may fill the share up to here; the rest is for passes that cost more than planned."""

COLLECTIONS_A_DAY = 24
"""How often a device renews its row in categories with one row a device: taken until an increment has told."""

CHANGED_A_DAY = 0.02
"""Share of the rows of all other categories that changes on a usual day: likewise."""

_EVERY_INCREMENT = 2  # a page that may be empty, and the count
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class SyncPlan:
    """The ``ttls`` by table, their cost ``per_hour`` in requests, and what swept tables may spend together an hour."""

    ttls: Mapping[str, Ttl]
    per_hour: int
    sweep_per_hour: int


@dataclass(frozen=True)
class Slowdown:
    """A step of slowing down while the plan does not fit: tables that ``concerns`` picks are read every ``ttl``."""

    concerns: Callable[[Resource], bool]
    ttl: timedelta


def _compliance(resource: Resource) -> bool:
    """Pick categories that are wanted fresh within minutes."""
    return resource.category is not None and resource.ttl <= timedelta(minutes=5)


def _fleet_list(resource: Resource) -> bool:
    """Pick lists read in full every few minutes, which is the list of devices."""
    listed = resource.category is None and resource.parent is None and not resource.newest_first
    return listed and resource.ttl <= timedelta(minutes=5)


def _list_per_parent(resource: Resource) -> bool:
    """Pick lists asked for once a blueprint."""
    return resource.parent is not None and not resource.swept


def _slow_findings(resource: Resource) -> bool:
    """Pick long lists of a separate product that move by the day."""
    return resource.licensed and resource.ttl >= _HOUR


def _any(resource: Resource) -> bool:
    """Pick every table, when all else was not enough."""
    return True


SLOWDOWNS = (
    Slowdown(_compliance, timedelta(minutes=10)),
    Slowdown(_compliance, timedelta(minutes=15)),
    Slowdown(_fleet_list, timedelta(minutes=10)),
    Slowdown(_fleet_list, timedelta(minutes=15)),
    Slowdown(_fleet_list, timedelta(minutes=30)),
    Slowdown(_list_per_parent, timedelta(hours=2)),
    Slowdown(_slow_findings, _DAY),
    *(Slowdown(_any, _HOUR * hours) for hours in (1, 2, 4, 8, 24)),
)
"""What is given up, first things first. Sweeps are no step: they get what is left, which by then is nothing."""


def plan_sync(
    resources: Mapping[str, Resource],
    states: Mapping[str, TableState],
    *,
    per_hour: int,
    remaining_hour: int | None = None,
    overrides: Mapping[str, timedelta] | None = None,
) -> SyncPlan:
    """Return the times to live that fit ``per_hour`` requests.

    ``states`` are the tables as published, ``remaining_hour`` the requests the tenant has left in this hour as far as
    the provider told, ``overrides`` times to live that replace the declared ones.
    """
    declared = {name: (overrides or {}).get(name, r.ttl) for name, r in resources.items()}
    halved = remaining_hour is not None and remaining_hour < BACKGROUND_SLOWS_BELOW
    share = per_hour // 2 if halved else per_hour
    costs = Costs(resources, states)
    ttls = _fitted(costs, declared, share)
    needed = costs.total(declared)
    budget = f"{needed:,.0f} an hour, and the background has {share:,} (KANDJI_MIRROR_BACKGROUND_SHARE)"
    budget += f" while the tenant has fewer than {BACKGROUND_SLOWS_BELOW:,} left in this hour" if halved else ""
    reasons = ((name, costs.reason(name, declared[name], ttl, budget)) for name, ttl in ttls.items())
    spent = costs.total(ttls)
    return SyncPlan(
        ttls={name: Ttl(ttls[name], reason) for name, reason in reasons},
        per_hour=round(spent),
        sweep_per_hour=max(0, int(SWEEP_SHARE * share - spent)),
    )


def parse_ttl_overrides(text: str, tables: Collection[str]) -> dict[str, timedelta]:
    """Return what KANDJI_MIRROR_TTL says: ``devices=10m,apps=2h`` in s, m, h or d.

    :class:`ConfigurationError` for a table that is none of ``tables`` and for a time that cannot be read.
    """
    return dict(_override(part.strip(), tables) for part in text.split(",") if part.strip())


def _override(part: str, tables: Collection[str]) -> tuple[str, timedelta]:
    name, _, value = (piece.strip() for piece in part.partition("="))
    if name not in tables:
        near = get_close_matches(name, tables, n=1)
        hint = f"; did you mean {near[0]}?" if near else ". `kandji-mirror tables` lists them."
        raise ConfigurationError(f"KANDJI_MIRROR_TTL: there is no table {name!r}{hint}")
    found = parse_duration(value, units="smhd")
    if not found:
        raise ConfigurationError(
            f"KANDJI_MIRROR_TTL: {part!r} must be a table, = and a whole number of s, m, h or d. Example: devices=10m"
        )
    return name, found


@dataclass(frozen=True)
class Costs:
    """What passes cost in requests, judged by the ``states`` the last ones left."""

    resources: Mapping[str, Resource]
    states: Mapping[str, TableState]

    def total(self, ttls: Mapping[str, timedelta]) -> float:
        """Return the requests an hour of all tables."""
        return sum(self.per_hour(name, ttl) for name, ttl in ttls.items())

    def per_hour(self, name: str, ttl: timedelta) -> float:
        """Return the requests an hour of one table that is read every ``ttl``, its rarer full loads included."""
        resource = self.resources[name]
        every = resource.full_every if self._by_increments(resource) else None
        rare = self._whole(resource) * (_HOUR / max(every, ttl)) if every else 0.0
        return self.per_pass(name, ttl) * (_HOUR / ttl) + rare

    def per_pass(self, name: str, ttl: timedelta) -> float:
        """Return the requests of one usual pass, ``ttl`` after the one before."""
        resource = self.resources[name]
        if resource.swept or self._rows_per_device(resource):
            return 0.0
        if self._by_increments(resource):
            return _EVERY_INCREMENT + self._changed_pages(resource, ttl + OVERLAP)
        return self._whole(resource)

    def reason(self, name: str, declared: timedelta, ttl: timedelta, budget: str) -> str | None:
        """Return why a table is read less often than declared, in words; None where it is not."""
        if ttl <= declared:
            return None
        rows, cost = self._rows(name), self.per_pass(name, declared)
        return (
            f"Read every {exactly_in_words(ttl, short=True)} instead of {exactly_in_words(declared, short=True)}: "
            f"{rows:,} rows take about {cost:,.0f} requests a pass, all tables together {budget}."
        )

    def _by_increments(self, resource: Resource) -> bool:
        return resource.paging is Paging.PRISM and not resource.repeats

    def _rows_per_device(self, resource: Resource) -> bool:
        """Return whether a table is read device by device, out of what is left, as the token may not read Prism."""
        state = self.states.get(resource.name)
        return state is not None and state.method == Method.PER_DEVICE

    def _whole(self, resource: Resource) -> float:
        """Return the requests to read everything."""
        if resource.newest_first and resource.parent is None:
            return 1
        if resource.parent is not None:
            return max(1, self._lists(resource))
        pages = pages_of(self._rows(resource.name), resource.page_size or PAGE_ROWS)
        exported = resource.paging is Paging.PRISM and self._rows(resource.name) > FEW_ROWS
        return 1 + EXPORT_REQUESTS if exported else pages

    def _lists(self, resource: Resource) -> int:
        """Return how many lists a table has, asked for once a parent row, of which several may name the same one."""
        state = self.states.get(resource.name)
        seen = state.requests if state is not None and resource.newest_first else 0
        return seen or self._rows(resource.parent or "")

    def _changed_pages(self, resource: Resource, span: timedelta) -> float:
        """Return the pages of the rows written within ``span``: as in the last increment, else as on a usual day."""
        state = self.states.get(resource.name)
        rows, page = self._rows(resource.name), resource.page_size or PAGE_ROWS
        if state is not None and state.method == Method.INCREMENT and state.requests and state.ttl_seconds:
            seen = timedelta(seconds=state.ttl_seconds) + OVERLAP
            return min((state.requests - _EVERY_INCREMENT) * (span / seen), pages_of(rows, page))
        refreshed = COLLECTIONS_A_DAY if resource.key == ("device_id",) else CHANGED_A_DAY
        return min(rows * refreshed * (span / _DAY) / page, self._whole(resource))

    def _rows(self, name: str) -> int:
        state = self.states.get(name)
        return state.rows if state else 0


def _fitted(costs: Costs, declared: Mapping[str, timedelta], share: int) -> Mapping[str, timedelta]:
    """Return the first of ever longer times to live that costs no more than the share, or the slowest there are."""
    ttls = declared
    for ttls in _ever_slower(costs.resources.values(), declared):
        if costs.total(ttls) <= share:
            break
    return ttls


def _ever_slower(resources: Iterable[Resource], declared: Mapping[str, timedelta]) -> Iterator[Mapping[str, timedelta]]:
    ttls = dict(declared)
    yield ttls
    for step in SLOWDOWNS:
        ttls = ttls | {r.name: max(ttls[r.name], step.ttl) for r in resources if step.concerns(r)}
        yield ttls
