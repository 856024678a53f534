"""Pages of Prism, ``{offset, limit, total, data, cursor}`` over devices in order of their id, and their filters."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from kandji_schema.resource import Resource
from kandji_simulator.api.paging import Quirks
from kandji_simulator.simulation.world import World
from kandji_simulator.tables.prism import Row, encode, reports
from kandji_simulator.world.records import Device
from kandji_simulator.world.state import PerDevice
from kandji_simulator.world.time import parse


class BadFilter(Exception):
    """The filter is not what the provider takes; the text is the provider's ``detail``."""


@dataclass(frozen=True)
class Filter:
    """``device_ids``, ``since`` and ``collected`` are what needs no look at the row's text.

    Rows written before the moment ``since`` are out, and those of devices collected before ``collected``.
    """

    device_ids: frozenset[str] | None
    since: int
    collected: int
    conditions: tuple[Callable[[dict[str, Any]], bool], ...]

    @property
    def everything(self) -> bool:
        """Whether no row can fail."""
        return self.device_ids is None and not (self.since or self.collected or self.conditions)

    def passes(self, row: dict[str, Any]) -> bool:
        """Tell whether a row meets the conditions on its columns."""
        return all(condition(row) for condition in self.conditions)


ALL = Filter(None, 0, 0, ())


def read_filter(text: str) -> Filter:
    """Read the filter of a query parameter; :class:`BadFilter` where it cannot be one."""
    try:
        return filter_of(json.loads(text))
    except ValueError as error:
        raise BadFilter("Invalid filter.") from error


def filter_of(columns: Any) -> Filter:
    """Read the filter that was sent as an object; :class:`BadFilter` where it cannot be one."""
    try:
        asked = [(c, operator, value) for c, tests in columns.items() for operator, value in tests.items()]
    except AttributeError as error:
        raise BadFilter("Invalid filter.") from error
    since, collected = (
        max((parse(v) or 0 for c, o, v in asked if (c, o) == (column, "gte") and isinstance(v, str)), default=0)
        for column in ("updated_at", "last_collected_at")
    )
    ids = [_ids(o, v) for c, o, v in asked if c == "device_id" and o in {"in", "eq"}]
    cheap = {("updated_at", "gte"), ("last_collected_at", "gte"), ("device_id", "in"), ("device_id", "eq")}
    rest = tuple(_condition(c, o, v) for c, o, v in asked if (c, o) not in cheap)
    return Filter(frozenset.intersection(*ids) if ids else None, since, collected, rest)


def _ids(operator: str, value: Any) -> frozenset[str]:
    return frozenset([value] if operator == "eq" else value)


def _condition(column: str, operator: str, wanted: Any) -> Callable[[dict[str, Any]], bool]:
    if operator not in _OPERATORS:
        raise BadFilter(f"Invalid operator: {operator}")
    return lambda row: _OPERATORS[operator](row.get(column), wanted)


def _comparable(one: Any, other: Any) -> tuple[Any, Any]:
    """Return two moments where both are, else two texts."""
    moments = parse(str(one)), parse(str(other))
    return (str(one), str(other)) if None in moments else moments


def _compare(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda value, wanted: value is not None and test(*_comparable(value, wanted))


def _like(value: Any, wanted: Any) -> bool:
    parts = [wanted] if isinstance(wanted, str) else wanted
    return value is not None and any(str(part).lower() in str(value).lower() for part in parts)


_COMPARISONS = {
    "lt": _compare(lambda a, b: a < b),
    "gt": _compare(lambda a, b: a > b),
    "lte": _compare(lambda a, b: a <= b),
    "gte": _compare(lambda a, b: a >= b),
}
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, wanted: value == wanted,
    "in": lambda value, wanted: value in wanted,
    "not_in": lambda value, wanted: value not in wanted,
    "like": _like,
    "not_like": lambda value, wanted: not _like(value, wanted),
    "is_null": lambda value, wanted: (value is None) is bool(wanted),
    "or": lambda value, tests: any(_COMPARISONS[o](value, w) for o, w in tests.items() if o in _COMPARISONS),
    **_COMPARISONS,
}


DEFAULT_LIMIT = 25
CAP = 300
_WITHOUT_TOTAL = frozenset({"filevault", "application_firewall", "gatekeeper_and_xprotect", "cellular", "certificates"})
"""Categories that never send ``total``; they send ``offset`` 0 instead, as in the provider's published answers."""
_FAMILIES = {"tvOS": "AppleTV"}
_ENDS: tuple[bytes, ...] = (b',"cursor":null}', b',"cursor":""}', b"}")
"""The ways an answer says that it is the last: null, empty, absent."""

Place = tuple[str, int]
"""The last row sent: device and position among its rows."""


class PrismPages:
    """Answers for one category."""

    def __init__(self, world: World, resource: Resource, quirks: Quirks) -> None:
        self._world = world
        self._resource = resource
        self._quirks = quirks
        self._rows = world.tables.category(resource.name)
        self._silent = not quirks.totals or (quirks.prism_cursors and resource.category in _WITHOUT_TOTAL)
        self._end = _ENDS[len(resource.name) % 3]
        self._latest = PerDevice(world, self._rows.latest)
        self._cut: tuple[int, int, list[str]] = (-1, 0, [])

    def page(self, query: Mapping[str, str], limit: int, offset: int) -> bytes:
        """Return the body of one page; :class:`BadFilter` where the query has a filter or cursor that is none."""
        wanted = read_filter(query["filter"]) if "filter" in query and self._quirks.filters else ALL
        after = _read_cursor(query["cursor"]) if "cursor" in query else ("", -1)
        walk = self._walk(query, wanted, after, offset)
        found = list(islice(walk, limit + 1))
        texts = [row.text for _, row in found[:limit]]
        device, last = found[limit - 1] if len(found) > limit else (None, None)
        cursor = _write_cursor(device.id, last.position) if device and last else None
        end = b',"cursor":"%s"}' % cursor if cursor and self._quirks.prism_cursors else self._end
        return b"".join((self._head(query, wanted, limit, offset), b",".join(texts), b"]", end))

    def count(self) -> dict[str, object]:
        """Return the answer of ``/prism/count``; large counts are approximate."""
        count = self._world.count(self._resource.name)
        approximate = count >= self._quirks.approximate_counts_from
        return {"count": int(float(f"{count:.2g}")) if approximate else count, "approximate": approximate}

    def _head(self, query: Mapping[str, str], wanted: Filter, limit: int, offset: int) -> bytes:
        total = None if self._silent else self._total(query, wanted)
        start = offset if offset or self._silent else None
        return encode({"offset": start, "limit": limit, "total": total})[:-1] + b',"data":['

    def _total(self, query: Mapping[str, str], wanted: Filter) -> int | None:
        """Count what a filter lets through; as that costs a walk, only the first page says it."""
        if wanted.everything and not _picks_devices(query):
            return self._world.count(self._resource.name)
        if "cursor" in query:
            return None
        if wanted.conditions:
            return sum(1 for _ in self._walk(query, wanted, ("", -1), 0))
        return sum(self._rows.counted(device, wanted.since) for device in self._devices(query, wanted, ""))

    def _walk(
        self, query: Mapping[str, str], wanted: Filter, after: Place, offset: int
    ) -> Iterator[tuple[Device, Row]]:
        """Yield the rows behind ``after``, less the first ``offset`` of them, with their devices."""
        for device in self._devices(query, wanted, after[0]):
            if offset and wanted.everything and offset >= self._rows.count(device):
                offset -= self._rows.count(device)
                continue
            for row in self._rows.rows(device, wanted.since):
                if device.id == after[0] and row.position <= after[1]:
                    continue
                if wanted.conditions and not wanted.passes(_decoded(row)):
                    continue
                if offset:
                    offset -= 1
                else:
                    yield device, row

    def _devices(self, query: Mapping[str, str], wanted: Filter, start: str) -> Iterator[Device]:
        """Yield the devices that may have rows, in order, from the device ``start`` on."""
        asked = picks(query.get("device_families", "").split(","), query.get("blueprint_ids", "").split(","))
        for device in self._candidates(wanted, start):
            if reports(device, self._resource) and asked(device) and (device.collected or 0) >= wanted.collected:
                yield device

    def _candidates(self, wanted: Filter, start: str) -> Iterable[Device]:
        devices = self._world.devices
        if wanted.device_ids is not None:
            return [devices[i] for i in sorted(wanted.device_ids & devices.keys()) if i >= start]
        if wanted.since:
            return (devices[i] for i in self._written(wanted.since) if i >= start)
        return self._world.devices_from(start)

    def _written(self, since: int) -> list[str]:
        """Return devices with rows written since, sorted; worked out once for all pages of a walk."""
        if self._cut[:2] != (self._world.revision, since):
            ids = sorted(i for i, latest in self._latest.values().items() if latest >= since)
            self._cut = (self._world.revision, since, ids)
        return self._cut[2]


def picks(families: Iterable[str], blueprints: Iterable[str]) -> Callable[[Device], bool]:
    """Return a test whether a device is of these families and in these blueprints; none of them means any."""
    kinds = {_FAMILIES.get(family, family) for family in families if family}
    homes = set(filter(None, blueprints))
    return lambda device: (
        (not kinds or device.platform in kinds)
        and (not homes or (device.blueprint is not None and device.blueprint.id in homes))
    )


def passes(wanted: Filter, device: Device, row: Row) -> bool:
    """Tell whether a filter lets a row of a device through."""
    if row.updated < wanted.since or (device.collected or 0) < wanted.collected:
        return False
    if wanted.device_ids is not None and device.id not in wanted.device_ids:
        return False
    return not wanted.conditions or wanted.passes(_decoded(row))


def _picks_devices(query: Mapping[str, str]) -> bool:
    return bool(query.get("device_families") or query.get("blueprint_ids"))


def _decoded(row: Row) -> dict[str, object]:
    decoded: dict[str, object] = json.loads(row.text)
    return decoded


def _write_cursor(device_id: str, position: int) -> bytes:
    return b64encode(f"{device_id}|{position}".encode())


def _read_cursor(text: str) -> Place:
    try:
        device_id, position = b64decode(text, validate=True).decode().split("|")
        return device_id, int(position)
    except ValueError as error:
        raise BadFilter("Invalid cursor") from error
