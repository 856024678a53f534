"""The device list: ``GET /devices``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kandji_simulator.device_rows import device_row
from kandji_simulator.listings import Listing, Query
from kandji_simulator.records import Device

if TYPE_CHECKING:  # the world owns its listings
    from kandji_simulator.world import World


class DeviceList(Listing):
    """``GET /devices``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def records(self, query: Query, parent: Mapping[str, str]) -> Sequence[Device]:
        """Filters of the contract, most of them "contains"; ``ordering`` is a comma list, ``-`` reverses."""
        ordering = query.get("ordering", "")
        devices = self._world.remember(f"ordered {ordering}", lambda: self._ordered(ordering))
        wanted = [(_DEVICE_FILTERS[name], value) for name, value in query.items() if name in _DEVICE_FILTERS]
        return [d for d in devices if all(passes(d, value) for passes, value in wanted)] if wanted else devices

    def _ordered(self, ordering: str) -> list[Device]:
        devices = list(self._world.devices.values())
        for name in reversed(ordering.split(",")):
            key = _DEVICE_ORDER.get(name.removeprefix("-"))
            if key:
                devices.sort(key=key, reverse=name.startswith("-"))
        return devices

    def row(self, record: Device) -> dict[str, Any]:
        """See :class:`Listing`."""
        return device_row(record)

    def find(self, key: str) -> Device | None:
        """See :class:`Listing`."""
        return self._world.devices.get(key)

    def position(self, record: Device) -> str:
        """See :class:`Listing`."""
        return record.id


_DEVICE_TEXTS: dict[str, Callable[[Device], str]] = {
    "asset_tag": lambda d: d.asset_tag or "",
    "blueprint_id": lambda d: d.blueprint.id if d.blueprint else "",
    "device_id": lambda d: d.id,
    "device_name": lambda d: d.name,
    "model": lambda d: d.model.name,
    "os_version": lambda d: d.release.version,
    "platform": lambda d: d.platform,
    "serial_number": lambda d: d.serial,
    "user_email": lambda d: d.user.email if d.user else "",
    "user_name": lambda d: d.user.name if d.user else "",
}
_DEVICE_ORDER: dict[str, Callable[[Device], Any]] = {
    **_DEVICE_TEXTS,
    "last_check_in": lambda d: d.checked_in or 0,
    "user": _DEVICE_TEXTS["user_email"],
}


def _contains(text: Callable[[Device], str]) -> Callable[[Device, str], bool]:
    return lambda device, wanted: wanted.lower() in text(device).lower()


_DEVICE_FILTERS: dict[str, Callable[[Device, str], bool]] = {
    **{name: _contains(text) for name, text in _DEVICE_TEXTS.items()},
    "user": _contains(_DEVICE_TEXTS["user_name"]),
    "user_id": lambda d, wanted: d.user is not None and wanted in {d.user.id, str(d.user.number)},
    "user_email_exact": lambda d, wanted: d.user is not None and d.user.email == wanted,
    "tag_name": lambda d, wanted: any(wanted in tag for tag in d.tags),
    "tag_name_in": lambda d, wanted: not set(d.tags).isdisjoint(wanted.split(",")),
}
