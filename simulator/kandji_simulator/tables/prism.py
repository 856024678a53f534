"""What rows of all Prism categories share, and how the simulator offers the rows of one category."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, NamedTuple, Protocol

from kandji_schema.resource import Resource
from kandji_simulator.world.hardware import APPLE
from kandji_simulator.world.records import Device, RowState
from kandji_simulator.world.rng import rng, stable_hash
from kandji_simulator.world.time import DAY, HOUR, offset


class Header(Enum):
    """How columns are named in the first line."""

    FIELDS = "as in JSON: device__name"
    TITLES = "as titles: Device Name"


class Spelling(Enum):
    """How lists and objects are written."""

    JSON = "as JSON"
    PYTHON = "as Python prints them"


def header_line(names: Iterable[str], header: Header) -> bytes:
    """The first line."""
    shown = names if header is Header.FIELDS else map(_title, names)
    return b",".join(map(cell, shown)) + b"\r\n"


def _title(name: str) -> str:
    return " ".join(word.capitalize() for word in name.split("_") if word)


def cell(value: Any, spelling: Spelling = Spelling.JSON) -> bytes:
    """One value: nothing for null, ``True`` and ``False``, and quotes where they are needed."""
    if value is None:
        return b""
    text = value if isinstance(value, str) else _text(value, spelling)
    if '"' in text or "," in text or "\n" in text or "\r" in text:
        text = f'"{text.replace(chr(34), chr(34) * 2)}"'
    return text.encode()


def _text(value: Any, spelling: Spelling) -> str:
    if isinstance(value, list | dict) and spelling is Spelling.JSON:
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def line(row: dict[str, Any], names: Iterable[str], spelling: Spelling) -> bytes:
    """The cells of one row, without the end of the line."""
    return b",".join([cell(row.get(name), spelling) for name in names])


class Row(NamedTuple):
    """One row of a device: its place among the device's rows, when it was last written, and its JSON text."""

    position: int
    updated: int
    text: bytes


class Record(NamedTuple):
    """The same before it is text."""

    position: int
    updated: int
    columns: dict[str, Any]


class Category(Protocol):
    """The rows of one Prism category, device by device; they follow from the device alone: a copy is a snapshot."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of its own, behind those of every category."""

    def rows(self, device: Device, since: int = 0) -> list[Row]:
        """The rows of a device that reports, by position, those written before ``since`` left out."""

    def csv(self, device: Device, names: tuple[str, ...], spelling: Spelling) -> list[bytes]:
        """The same rows as lines of CSV: columns ``names``, which are in the order of the category."""

    def count(self, device: Device) -> int:
        """How many rows the device has, without making them."""

    def counted(self, device: Device, since: int) -> int:
        """How many of them were written at ``since`` or later."""

    def latest(self, device: Device) -> int:
        """No row of the device was written after this moment."""


class RecordCategory(ABC):
    """A category whose rows are made as dictionaries."""

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """See :class:`Category`."""

    @abstractmethod
    def records(self, device: Device, since: int = 0) -> list[Record]:
        """The rows of a device that reports, by position, those written before ``since`` left out."""

    def rows(self, device: Device, since: int = 0) -> list[Row]:
        """See :class:`Category`."""
        return [Row(r.position, r.updated, encode(r.columns)) for r in self.records(device, since)]

    def csv(self, device: Device, names: tuple[str, ...], spelling: Spelling) -> list[bytes]:
        """See :class:`Category`; what is the same in all rows of a device is spelled once."""
        known = identity(device)
        head = line(known, [name for name in names if name in IDENTITY], spelling)
        rest = tuple(name for name in names if name not in IDENTITY)
        joined = b"," if head and rest else b""
        return [head + joined + line(r.columns, rest, spelling) + b"\r\n" for r in self.records(device)]

    def counted(self, device: Device, since: int) -> int:
        """See :class:`Category`."""
        return len(self.records(device, since))


def reports(device: Device, resource: Resource) -> bool:
    """Whether the device has rows in the category at all."""
    return device.collected is not None and device.platform in (resource.platforms or APPLE)


def identity(device: Device) -> dict[str, Any]:
    """The columns every Prism row begins with: the device, its person and its blueprint."""
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


IDENTITY = (
    "device_id",
    "device__name",
    "device__family",
    "device__user_id",
    "device__user_name",
    "device__user_email",
    "blueprint_id",
    "blueprint_name",
    "tags",
    "asset_tag",
    "serial_number",
    "model_id",
    "count",
)
TIMES = ("created_at", "updated_at", "last_changed_at", "last_collected_at")
"""The columns of every category, in the provider's order."""


def times(created: int, updated: int, changed: int | None, collected: int) -> dict[str, str | None]:
    """The four times of a Prism row in the provider's spelling."""
    return {
        "created_at": offset(created),
        "updated_at": offset(updated),
        "last_changed_at": None if changed is None else offset(changed),
        "last_collected_at": offset(collected),
    }


def encode(value: Any) -> bytes:
    """JSON as the provider sends it: no spaces, UTF-8 unescaped."""
    return _ENCODER.encode(value).encode()


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class RowGenerator(Protocol):
    """What can stand in a category: ``size`` things, of which a device has ``per_device`` on average."""

    @property
    def size(self) -> int:
        """How many rows there could be on one device."""

    @property
    def per_device(self) -> float:
        """How many there are."""

    @property
    def always(self) -> int:
        """How many of the first every device has."""

    def columns(self, place: int, device: Device, number: int) -> dict[str, Any]:
        """The category's own columns of the thing at ``place``; ``number`` is drawn anew when it is written anew."""


class ListCategory(RecordCategory):
    """See :class:`Category`. ``scale`` thins the rows out: 1 is as many as the recipe says."""

    def __init__(self, seed: int, resource: Resource, recipe: RowGenerator, specimen: Device, scale: float) -> None:
        self._seed = seed
        self._name = resource.name
        self._recipe = recipe
        self._share = max(0.0, recipe.per_device * scale - recipe.always) / max(1, recipe.size - recipe.always)
        self._columns = tuple(recipe.columns(0, specimen, 0)) if recipe.size else ()

    @property
    def columns(self) -> tuple[str, ...]:
        """See :class:`Category`."""
        return self._columns

    def records(self, device: Device, since: int = 0) -> list[Record]:
        """See :class:`RecordCategory`."""
        head = identity(device)
        facts = (device.facts or {}).get(self._name, {})
        return [self._record(device, place, state, head, facts) for place, state in self._written(device, since)]

    def count(self, device: Device) -> int:
        """See :class:`Category`."""
        return len(self._places(device)) if not self._changes(device) else len(self.present(device))

    def counted(self, device: Device, since: int) -> int:
        """See :class:`Category`."""
        return len(self._written(device, since))

    def _written(self, device: Device, since: int) -> list[tuple[int, RowState]]:
        """What is there and was changed since then; nothing of what is drawn comes after ``drawn_until``."""
        changes = self._changes(device)
        late = since > device.drawn_until
        states = {p: s for p in sorted(changes) if (s := changes[p])} if late else self.present(device)
        return [(place, state) for place, state in states.items() if state.updated >= since]

    def latest(self, device: Device) -> int:
        """See :class:`Category`."""
        changes = (state.updated for state in self._changes(device).values() if state)
        return max(device.drawn_until, *changes, 0)

    def present(self, device: Device) -> dict[int, RowState]:
        """The device's rows by place."""
        drawn: dict[int, RowState | None] = {place: self._drawn(device, place) for place in self._places(device)}
        found = {**drawn, **self._changes(device)}
        return {place: state for place in sorted(found) if (state := found[place])}

    def absent(self, device: Device) -> list[int]:
        """Places of rows the device could have and has not."""
        present = self.present(device)
        return [place for place in range(self._recipe.size) if place not in present]

    def put(self, device: Device, changes: Mapping[int, RowState | None]) -> None:
        """Write rows (None: take them away)."""
        lists = device.lists or {}
        device.lists = {**lists, self._name: {**lists.get(self._name, {}), **changes}}

    def _changes(self, device: Device) -> dict[int, RowState | None]:
        return (device.lists or {}).get(self._name, {})

    def _places(self, device: Device) -> list[int]:
        draw = rng(self._seed, self._name, device.number, "places").random
        sure = self._recipe.always
        return [*range(sure), *(place for place in range(sure, self._recipe.size) if draw() < self._share)]

    def _drawn(self, device: Device, place: int) -> RowState:
        """Half of the rows were never changed, the others within the last ninety days."""
        number = stable_hash(self._seed, self._name, device.number, place)
        created = min(device.first_collected + number % HOUR, device.drawn_until)
        ago = number // HOUR % (90 * DAY)
        return RowState(0, created, created if number & 1 else max(created, device.drawn_until - ago))

    def _record(
        self, device: Device, place: int, state: RowState, head: dict[str, Any], facts: Mapping[str, Any]
    ) -> Record:
        number = stable_hash(self._seed, self._name, device.number, place, state.epoch)
        changed = state.updated if state.epoch else None
        stamps = times(state.created, state.updated, changed, device.collected or 0)
        row = {**head, **stamps, **self._recipe.columns(place, device, number), **facts}
        return Record(place, state.updated, row)


def rewritten(states: Mapping[int, RowState], places: Iterable[int], now: int) -> dict[int, RowState | None]:
    """These rows with new content."""
    return {place: RowState(states[place].epoch + 1, states[place].created, now) for place in places}
