"""A fleet's past: days of everyday life lived one after the other, and what they changed, as the provider's rows."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from kandji_schema.resource import Resource
from kandji_simulator.simulation.life import EVERYTHING, live
from kandji_simulator.simulation.world import World
from kandji_simulator.tables.prism import reports
from kandji_simulator.world.records import Device

_LAST_DAY = 24
"""Looks at the fleet on the last day: so its devices were seen at different hours."""

Lines = dict[bytes, bytes]
"""Rows as JSON by what counts of them: what moves at every collection is left out of that."""


@dataclass(frozen=True)
class RowChange:
    """What became other in a table within a day: the provider's rows, JSON, as they were and as they are ``at``.

    ``at`` is aware UTC. Rows that stayed are in neither.
    """

    table: str
    at: datetime
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass
class Past:
    """The past of a ``world``, whose time is moved on by so many ``days``; :meth:`live` has it lived.

    ``tables`` are those whose changes are told, by name.
    """

    world: World
    days: int
    tables: Mapping[str, Resource]
    _known: dict[tuple[str, str], Lines] = field(default_factory=dict)
    """Rows as they were told last, by table and device; of tables that are looked at as a whole the device is ""."""
    _touched: dict[tuple[str, str], None] = field(default_factory=dict)
    _ids: set[str] = field(default_factory=set)

    def live(self) -> Iterator[RowChange]:
        """Live day after day and give what each changed."""
        self._ids = set(self.world.devices)
        for table in self._whole:
            self._known[table, ""] = _lines(self.tables[table], self.world.truth_lines(table))
        for _ in range(self.days - 1):
            self.world.wait(timedelta(days=1))
            live(self.world, 1.0, self._remember)
            yield from self._told()
        for _ in range(_LAST_DAY):
            self.world.wait(timedelta(days=1) / _LAST_DAY)
            live(self.world, 1.0 / _LAST_DAY, self._remember)
        yield from self._told()

    @cached_property
    def _whole(self) -> list[str]:
        return [name for name, resource in self.tables.items() if not resource.category]

    @cached_property
    def _prism(self) -> list[str]:
        return [name for name, resource in self.tables.items() if resource.category]

    def _remember(self, device: Device, tables: tuple[str, ...]) -> None:
        """Keep the rows of a device that is about to change, as far as they are not known."""
        for table in self._prism if tables == EVERYTHING else tables:
            if table in self.tables:
                self._touched[table, device.id] = None
                if (table, device.id) not in self._known:
                    self._known[table, device.id] = _lines(self.tables[table], self._rows(table, device))

    def _told(self) -> Iterator[RowChange]:
        """Give what became other since this was called last."""
        at, changes = self.world.now, dict[str, tuple[list[str], list[str]]]()
        for place in self._looked_at():
            table, was = place[0], self._known.get(place, {})
            now = self._known[place] = _lines(self.tables[table], self._now(*place))
            before, after = changes.setdefault(table, ([], []))
            before += [line.decode() for key, line in was.items() if key not in now]
            after += [line.decode() for key, line in now.items() if key not in was]
        for table, (before, after) in changes.items():
            if before or after:
                yield RowChange(table, at, tuple(before), tuple(after))

    def _looked_at(self) -> list[tuple[str, str]]:
        """Return the tables and devices that may have changed; a device that came has rows in all of them."""
        came = [device_id for device_id in self.world.devices if device_id not in self._ids]
        self._ids = set(self.world.devices)
        places = [*((table, "") for table in self._whole), *self._touched]
        places += [(table, device_id) for table in self._prism for device_id in came]
        self._touched.clear()
        return [*dict.fromkeys(places)]

    def _now(self, table: str, device_id: str) -> Iterable[bytes]:
        if not device_id:
            return self.world.truth_lines(table)
        device = self.world.devices.get(device_id)
        return self._rows(table, device) if device else ()

    def _rows(self, table: str, device: Device) -> list[bytes]:
        if not reports(device, self.tables[table]):
            return []
        return [row.text for row in self.world.tables.category(table).rows(device)]


def _lines(resource: Resource, rows: Iterable[bytes]) -> Lines:
    """Return rows by what counts of them; of equal ones each has a number."""
    pattern, found = _moving(resource), Lines()
    for row in rows:
        counts = pattern.sub(b"", row) if pattern else row
        while counts in found:
            counts += b"#"
        found[counts] = row
    return found


def _moving(resource: Resource) -> re.Pattern[bytes] | None:
    """Return what finds the fields of a row that move at every collection."""
    names = [re.escape(source) for column in resource.columns if column.volatile for source in column.sources]
    return re.compile(rb'"(?:%s)":(?:"[^"]*"|[^",{}]*)' % "|".join(names).encode()) if names else None
