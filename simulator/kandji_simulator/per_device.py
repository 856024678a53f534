"""Values kept for each device and made again only for devices that were touched since."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:  # the world counts by this module
    from kandji_simulator.records import Device
    from kandji_simulator.world import World

_T = TypeVar("_T")


class PerDevice(Generic[_T]):
    """``make(device)`` of every device of the world, up to date at each look."""

    def __init__(self, world: World, make: Callable[[Device], _T]) -> None:
        self._world = world
        self._make = make
        self._values: dict[str, _T] = {}
        self._read = 0

    def values(self) -> Mapping[str, _T]:
        """By device id, in no order."""
        touched = self._world.touched
        for device_id in dict.fromkeys(touched[self._read :]):
            device = self._world.devices.get(device_id)
            if device is None:
                self._values.pop(device_id, None)
            else:
                self._values[device_id] = self._make(device)
        self._read = len(touched)
        return self._values
