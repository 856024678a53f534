"""Accounts of people on a device, as actions on them see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kandji_simulator.list_rows import ListCategory
from kandji_simulator.prism_rows import Record, reports

if TYPE_CHECKING:  # the world is what changes
    from kandji_simulator.records import Device
    from kandji_simulator.world import World

_TABLE = "prism_local_users"
_FIRST_PERSON = 501
"""Accounts below this number are the system's."""


def accounts(world: World, device: Device) -> frozenset[str]:
    """Their names; of an iPad there is no list, only the one it was set up with."""
    listed = {str(row.columns["username"]) for row in _people(world, device)}
    return frozenset(listed | {device.account}) - world.managed(device.id).deleted


def delete_accounts(world: World, device: Device, names: frozenset[str]) -> None:
    """They are gone, from Prism too."""
    gone = [row.position for row in _people(world, device) if row.columns["username"] in names]
    world.managed(device.id).deleted |= names
    category = world.tables.category(_TABLE) if gone else None
    if isinstance(category, ListCategory):
        category.put(device, dict.fromkeys(gone))


def _people(world: World, device: Device) -> list[Record]:
    if _TABLE not in world.resources or not reports(device, world.tables.named(_TABLE)):
        return []
    category = world.tables.category(_TABLE)
    rows = category.records(device) if isinstance(category, ListCategory) else []
    return [row for row in rows if row.columns["uid"] >= _FIRST_PERSON]
