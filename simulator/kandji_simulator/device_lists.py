"""Lists of one device: MDM commands, activity, notes, and lost mode where it is on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kandji_simulator.lost_mode import ENABLED, lost_mode_section
from kandji_simulator.managed import command_row
from kandji_simulator.notes import note_row

if TYPE_CHECKING:  # the world is what is listed
    from kandji_simulator.records import Device
    from kandji_simulator.world import World


def device_commands(world: World, device: Device) -> list[dict[str, Any]]:
    """``GET /devices/{device_id}/commands``, oldest first."""
    return [command_row(command) for command in world.managed(device.id).commands]


def device_activity(world: World, device: Device) -> list[dict[str, Any]]:
    """``GET /devices/{device_id}/activity``, oldest first."""
    return world.managed(device.id).activity


def device_notes(world: World, device: Device) -> list[dict[str, Any]]:
    """``GET /devices/{device_id}/notes``."""
    return [note_row(note) for note in world.managed(device.id).notes.values()]


def lost_mode(world: World, device: Device) -> list[dict[str, Any]]:
    """``GET /devices/{device_id}/details/lostmode``; none where it is off."""
    section = lost_mode_section(device.lost_mode, world.managed(device.id).lost)
    return [section] if section and device.lost_mode == ENABLED else []
