"""What rows of all Prism categories share, and how the simulator offers the rows of one category."""

import json
from typing import Any, NamedTuple, Protocol

from kandji_mirror.simulator.hardware import APPLE
from kandji_mirror.simulator.moments import offset
from kandji_mirror.simulator.records import Device
from kandji_schema.resource import Resource


class Row(NamedTuple):
    """One row of a device: its place among the device's rows, when it was last written, and its JSON text."""

    position: int
    updated: int
    text: bytes


class Category(Protocol):
    """The rows of one Prism category, device by device."""

    def rows(self, device: Device) -> list[Row]:
        """The rows of a device that reports, by position."""

    def count(self, device: Device) -> int:
        """How many rows that is, without making them."""

    def latest(self, device: Device) -> int:
        """No row of the device was written after this moment."""


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
