"""The rows of a Prism category, device by device: what all categories share, as JSON and as lines of CSV."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, NamedTuple

from kandji_schema.resource import Resource
from kandji_simulator.tables.samples import Given, RowTemplate
from kandji_simulator.world.hardware import APPLE
from kandji_simulator.world.records import Device, RowState
from kandji_simulator.world.rng import number_rng, rng, stable_hash
from kandji_simulator.world.time import DAY, HOUR, offset

Json = dict[str, Any]


class Header(Enum):
    """How columns are named in the first line of an export."""

    FIELDS = "as in JSON: device__name"
    TITLES = "as titles: Device Name"


class Spelling(Enum):
    """How lists and objects are written in an export."""

    JSON = "as JSON"
    PYTHON = "as Python prints them"


def header_line(names: Iterable[str], header: Header) -> bytes:
    """Return the first line of an export."""
    shown = names if header is Header.FIELDS else map(_title, names)
    return b",".join(map(cell, shown)) + b"\r\n"


def _title(name: str) -> str:
    return " ".join(word.capitalize() for word in name.split("_") if word)


def cell(value: Any, spelling: Spelling = Spelling.JSON) -> bytes:
    """Write one value: nothing for null, ``True`` and ``False``, and quotes where they are needed."""
    if value is None:
        return b""
    if isinstance(value, list | dict) and spelling is Spelling.JSON:
        text = json.dumps(value, ensure_ascii=False)
    else:
        text = str(value)
    if '"' in text or "," in text or "\n" in text or "\r" in text:
        text = f'"{text.replace(chr(34), chr(34) * 2)}"'
    return text.encode()


def line(row: Mapping[str, Any], names: Iterable[str], spelling: Spelling) -> bytes:
    """Write the cells of one row, without the end of the line."""
    return b",".join([cell(row.get(name), spelling) for name in names])


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def encode(value: Any) -> bytes:
    """Write JSON as the provider sends it: no spaces, UTF-8 unescaped."""
    return _ENCODER.encode(value).encode()


class Row(NamedTuple):
    """One row of a device: its place among the device's rows, when it was last written, and its JSON text."""

    position: int
    updated: int
    text: bytes


class Record(NamedTuple):
    """The same before it is text."""

    position: int
    updated: int
    columns: Json


def reports(device: Device, resource: Resource) -> bool:
    """Tell whether the device has rows in the category at all."""
    return device.collected is not None and device.platform in (resource.platforms or APPLE)


def identity(device: Device) -> Json:
    """Return the columns every Prism row begins with: the device, its person and its blueprint."""
    user, blueprint = device.user, device.blueprint
    return {
        "device_id": device.id,
        "device__name": device.name,
        "device__family": device.platform,
        "device__user_id": str(user.number) if user else "",
        "device__user_name": user.name if user else None,
        "device__user_email": user.email if user else None,
        "blueprint_id": blueprint.id if blueprint else "",
        "blueprint_name": blueprint.name if blueprint else "",
        "tags": None,
        "asset_tag": device.asset_tag or "",
        "serial_number": device.serial,
        "model_id": device.model.identifier,
        "count": None,
    }


def times(created: int, updated: int, changed: int | None, collected: int) -> dict[str, str | None]:
    """Return the four times of a Prism row in the provider's spelling."""
    return {
        "created_at": offset(created),
        "updated_at": offset(updated),
        "last_changed_at": None if changed is None else offset(changed),
        "last_collected_at": offset(collected),
    }


TIMES = tuple(times(0, 0, None, 0))
"""The columns of every category that come behind those of :func:`identity`, in the provider's order."""


class Category(ABC):
    """The rows of one Prism category, device by device; they follow from the device alone: a copy is a snapshot.

    ``columns`` are those of its own, behind those of every category.
    """

    def __init__(self, columns: tuple[str, ...]) -> None:
        self.columns = columns

    @abstractmethod
    def records(self, device: Device, since: int = 0) -> list[Record]:
        """Return the rows of a device that reports, by position, those written before ``since`` left out."""

    @abstractmethod
    def count(self, device: Device) -> int:
        """Return how many rows the device has, without making them."""

    @abstractmethod
    def latest(self, device: Device) -> int:
        """Return a moment after which no row of the device was written."""

    def counted(self, device: Device, since: int) -> int:
        """Return how many rows were written at ``since`` or later."""
        return len(self.records(device, since))

    def rows(self, device: Device, since: int = 0) -> list[Row]:
        """Return the same as :meth:`records` as JSON."""
        return [Row(r.position, r.updated, encode(r.columns)) for r in self.records(device, since)]

    def csv(self, device: Device, names: tuple[str, ...], spelling: Spelling) -> list[bytes]:
        """Return the rows as lines of CSV: columns ``names``, which are in the order of the category.

        What is the same in all rows of a device is spelled once.
        """
        known = identity(device)
        head = line(known, [name for name in names if name in known], spelling)
        rest = tuple(name for name in names if name not in known)
        joined = b"," if head and rest else b""
        return [head + joined + line(r.columns, rest, spelling) + b"\r\n" for r in self.records(device)]


class OneRow(Category):
    """A category with one row a device, written at every collection."""

    def __init__(self, name: str, columns: tuple[str, ...]) -> None:
        super().__init__(columns)
        self._name = name

    @abstractmethod
    def row(self, device: Device, epoch: int) -> Json:
        """Return the category's own columns; ``epoch`` counts how often they were drawn anew."""

    def records(self, device: Device, since: int = 0) -> list[Record]:
        """See :class:`Category`."""
        collected = device.collected or 0
        if collected < since:
            return []
        epoch, changed = (device.redrawn or {}).get(self._name, (0, 0))
        stamps = times(device.first_collected, collected, changed or None, collected)
        facts = (device.facts or {}).get(self._name, {})
        return [Record(0, collected, {**identity(device), **stamps, **self.row(device, epoch), **facts})]

    def count(self, device: Device) -> int:
        """See :class:`Category`."""
        return 1

    def latest(self, device: Device) -> int:
        """See :class:`Category`."""
        return device.collected or 0


class RowGenerator:
    """What can stand in a category with several rows a device: ``size`` things, the first ``always`` on every device.

    ``per_device`` is how many a device has on average. Columns that are not :meth:`given` are drawn from their samples.
    """

    size: int
    per_device: float
    always = 0

    def __init__(self, resource: Resource) -> None:
        self._template = RowTemplate(resource)

    def given(self, place: int, device: Device, number: int) -> Given:
        """Return the columns, by the provider's name, that tell the thing at ``place`` from the others."""
        raise NotImplementedError

    def columns(self, place: int, device: Device, number: int) -> Json:
        """Return the category's own columns; ``number`` is drawn anew when the row is written anew."""
        return self._template.fill(self.given(place, device, number), number_rng(number), device.account)


class ListCategory(Category):
    """A category with several rows a device, each written only when its content changes. ``scale`` thins them out."""

    def __init__(self, seed: int, name: str, generator: RowGenerator, specimen: Device, scale: float) -> None:
        self._seed = seed
        self._name = name
        self._generator = generator
        sure = generator.always
        self._share = max(0.0, generator.per_device * scale - sure) / max(1, generator.size - sure)
        super().__init__(tuple(generator.columns(0, specimen, 0)) if generator.size else ())

    def records(self, device: Device, since: int = 0) -> list[Record]:
        """See :class:`Category`."""
        head = identity(device)
        facts = (device.facts or {}).get(self._name, {})
        return [self._record(device, place, state, head, facts) for place, state in self._written(device, since)]

    def count(self, device: Device) -> int:
        """See :class:`Category`."""
        return len(self._places(device)) if not self._changes(device) else len(self.present(device))

    def counted(self, device: Device, since: int) -> int:
        """See :class:`Category`."""
        return len(self._written(device, since))

    def latest(self, device: Device) -> int:
        """See :class:`Category`."""
        changes = (state.updated for state in self._changes(device).values() if state)
        return max(device.drawn_until, *changes, 0)

    def present(self, device: Device) -> dict[int, RowState]:
        """Return the device's rows by place."""
        drawn: dict[int, RowState | None] = {place: self._drawn(device, place) for place in self._places(device)}
        found = {**drawn, **self._changes(device)}
        return {place: state for place in sorted(found) if (state := found[place])}

    def absent(self, device: Device) -> list[int]:
        """Return the places of rows the device could have and has not."""
        present = self.present(device)
        return [place for place in range(self._generator.size) if place not in present]

    def put(self, device: Device, changes: Mapping[int, RowState | None]) -> None:
        """Write rows (None: take them away)."""
        lists = device.lists or {}
        device.lists = {**lists, self._name: {**lists.get(self._name, {}), **changes}}

    def _written(self, device: Device, since: int) -> list[tuple[int, RowState]]:
        """Return what is there and was changed since then; nothing drawn comes after ``drawn_until``."""
        changes = self._changes(device)
        late = since > device.drawn_until
        states = {p: s for p in sorted(changes) if (s := changes[p])} if late else self.present(device)
        return [(place, state) for place, state in states.items() if state.updated >= since]

    def _changes(self, device: Device) -> dict[int, RowState | None]:
        return (device.lists or {}).get(self._name, {})

    def _places(self, device: Device) -> list[int]:
        draw = rng(self._seed, self._name, device.number, "places").random
        sure = self._generator.always
        return [*range(sure), *(place for place in range(sure, self._generator.size) if draw() < self._share)]

    def _drawn(self, device: Device, place: int) -> RowState:
        """Draw a row's times: half of the rows were never changed, the others within the last ninety days."""
        number = stable_hash(self._seed, self._name, device.number, place)
        created = min(device.first_collected + number % HOUR, device.drawn_until)
        ago = number // HOUR % (90 * DAY)
        return RowState(0, created, created if number & 1 else max(created, device.drawn_until - ago))

    def _record(self, device: Device, place: int, state: RowState, head: Json, facts: Mapping[str, Any]) -> Record:
        number = stable_hash(self._seed, self._name, device.number, place, state.epoch)
        changed = state.updated if state.epoch else None
        stamps = times(state.created, state.updated, changed, device.collected or 0)
        row = {**head, **stamps, **self._generator.columns(place, device, number), **facts}
        return Record(place, state.updated, row)


def rewritten(states: Mapping[int, RowState], places: Iterable[int], now: int) -> dict[int, RowState | None]:
    """Return these rows with new content."""
    return {place: RowState(states[place].epoch + 1, states[place].created, now) for place in places}
