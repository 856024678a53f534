"""What a device reports of its library items and parameters: ``GET /devices/{device_id}/status``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kandji_simulator.world.fleet import parameter_id
from kandji_simulator.world.management import ENABLED, command_row, lost_mode_section, note_row
from kandji_simulator.world.records import Device, ItemState
from kandji_simulator.world.rng import pick, stable_hash
from kandji_simulator.world.seed_data import FACTS, ITEM_KINDS
from kandji_simulator.world.time import DAY, SECOND, offset

if TYPE_CHECKING:
    from kandji_simulator.world.records import Device
    from kandji_simulator.world.world import World

STATUSES = (*("PASS",) * 12, "PENDING", "ERROR", "AVAILABLE", "INSTALLING", "CACHED", "EXCLUDED", "INCOMPATIBLE")
"""Of library items; ERROR is a failing one."""
_OF_PROFILES = (*("success",) * 10, "pending", "failed")
"""Of profiles, in lower case; failed is a failing one."""
_OF_PARAMETERS = (*("PASS",) * 14, "WARNING", "REMEDIATED", "ERROR", "PENDING")
_MOBILE = frozenset({"profile", "custom-profile", "ipa-app", "setup"})
"""Kinds of library items that devices other than Macs get."""


def library_items(world: World, device: Device) -> list[dict[str, Any]]:
    """Those of the device's blueprint that are meant for its platform."""
    if device.blueprint is None or device.checked_in is None:
        return []
    found = ((item, name, ITEM_KINDS.get(name, "automatic-app")) for item, name in device.blueprint.items.items())
    return [_item(device, *known) for known in found if device.platform == "Mac" or known[2] in _MOBILE]


def parameters(world: World, device: Device) -> list[dict[str, Any]]:
    """Of a Mac, those its blueprint has; other devices have none."""
    if device.platform != "Mac" or device.checked_in is None or device.blueprint is None:
        return []
    known = ((parameter_id(parameter["name"]), parameter) for parameter in FACTS["parameters"])
    return [_parameter(device, item, parameter) for item, parameter in known if item in device.blueprint.params]


def _item(device: Device, item: str, name: str, kind: str) -> dict[str, Any]:
    number = stable_hash("item", device.id, item)
    statuses = _OF_PROFILES if kind.endswith("profile") else STATUSES
    state = _state(device, item, pick(number, statuses), number)
    silent = state.status.upper() in {"PENDING", "AVAILABLE"}
    return {
        "id": number % 900_000 + 100_000,
        "item_id": item,
        "name": name,
        "status": state.status,
        "reported_at": None if silent else f"{offset(state.reported)[:19]}Z",
        "type": kind,
        "last_audit_log": _AUDITS.get(state.status, "{name} is installed and up to date.").format(name=name),
        "log": None if silent else f"Downloading {name}\nInstalling {name}\nExit code: {int(state.status == 'ERROR')}",
    }


_AUDITS = {
    "ERROR": "Executing audit script...\nScript for {name} exited with non-zero status.",
    "failed": "The profile of {name} could not be installed: “Ungültige Nutzlast”.",
    "PENDING": "",
    "pending": "",
}


def _parameter(device: Device, item: str, known: dict[str, str]) -> dict[str, Any]:
    number = stable_hash("parameter", device.id, item)
    return {"item_id": item, **known, "status": _state(device, item, pick(number, _OF_PARAMETERS), number).status}


def _state(device: Device, item: str, drawn: str, number: int) -> ItemState:
    """What was set by hand, else what is drawn, reported in the device's past."""
    past = device.drawn_until - number % (20 * DAY) // SECOND * SECOND
    return (device.states or {}).get(item) or ItemState(drawn, max(device.first_collected, past))


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
