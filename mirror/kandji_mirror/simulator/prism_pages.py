"""Pages of Prism: ``{offset, limit, total, data, cursor}`` over devices in order of their id."""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from itertools import islice

from kandji_mirror.simulator.filters import ALL, BadFilter, Filter, read_filter
from kandji_mirror.simulator.prism_rows import Row, encode, reports
from kandji_mirror.simulator.quirks import Quirks
from kandji_mirror.simulator.records import Device
from kandji_mirror.simulator.world import World
from kandji_schema.resource import Resource

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

    def page(self, query: Mapping[str, str], limit: int, offset: int) -> bytes:
        """The body of one page; :class:`BadFilter` where the query has a filter or cursor that is none."""
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
        """The answer of ``/prism/count``; large counts are approximate."""
        count = self._world.count(self._resource.name)
        return {"count": count if count < 100_000 else round(count, -3), "approximate": count >= 100_000}

    def _head(self, query: Mapping[str, str], wanted: Filter, limit: int, offset: int) -> bytes:
        total = None if self._silent else self._total(query, wanted)
        start = offset if offset or self._silent else None
        return encode({"offset": start, "limit": limit, "total": total})[:-1] + b',"data":['

    def _total(self, query: Mapping[str, str], wanted: Filter) -> int | None:
        """Counting what a filter lets through costs a walk: only the first page says it."""
        if wanted.everything and not _picks_devices(query):
            return self._world.count(self._resource.name)
        if "cursor" in query:
            return None
        return sum(1 for _ in self._walk(query, wanted, ("", -1), 0))

    def _walk(
        self, query: Mapping[str, str], wanted: Filter, after: Place, offset: int
    ) -> Iterator[tuple[Device, Row]]:
        """The rows behind ``after``, less the first ``offset`` of them, with their devices."""
        for device in self._devices(query, wanted, after[0]):
            if offset and wanted.everything and offset >= self._rows.count(device):
                offset -= self._rows.count(device)
                continue
            for row in self._rows.rows(device):
                if row.updated < wanted.since or (device.id == after[0] and row.position <= after[1]):
                    continue
                if wanted.conditions and not wanted.passes(_decoded(row)):
                    continue
                if offset:
                    offset -= 1
                else:
                    yield device, row

    def _devices(self, query: Mapping[str, str], wanted: Filter, start: str) -> Iterator[Device]:
        families = {_FAMILIES.get(f, f) for f in query.get("device_families", "").split(",") if f}
        blueprints = set(filter(None, query.get("blueprint_ids", "").split(",")))
        for device in self._world.devices_from(start):
            if (
                reports(device, self._resource)
                and (wanted.device_ids is None or device.id in wanted.device_ids)
                and (not wanted.since or self._rows.latest(device) >= wanted.since)
                and (not families or device.platform in families)
                and (not blueprints or (device.blueprint is not None and device.blueprint.id in blueprints))
            ):
                yield device


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
