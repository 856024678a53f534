"""What rows of all Prism categories share, and how the simulator offers the rows of one category."""

import json
from abc import ABC, abstractmethod
from typing import Any, NamedTuple, Protocol

from kandji_schema.resource import Resource
from kandji_simulator.csv_rows import Spelling, line
from kandji_simulator.hardware import APPLE
from kandji_simulator.moments import offset
from kandji_simulator.records import Device


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
