"""Lists of one device: library items and parameters it reports, MDM commands, activity, notes, and lost mode."""

from kandji_simulator.tables.listing import DeviceRows, Json
from kandji_simulator.tables.registry import Makers
from kandji_simulator.world.fleet import parameter_id
from kandji_simulator.world.management import ENABLED, command_row, lost_mode_section, note_row
from kandji_simulator.world.records import Device, ItemState
from kandji_simulator.world.rng import pick, stable_hash
from kandji_simulator.world.seed_data import FACTS, ITEM_KINDS
from kandji_simulator.world.state import TenantState
from kandji_simulator.world.time import DAY, SECOND, offset

STATUSES = (*("PASS",) * 12, "PENDING", "ERROR", "AVAILABLE", "INSTALLING", "CACHED", "EXCLUDED", "INCOMPATIBLE")
"""Of library items; ERROR is a failing one."""
_OF_PROFILES = (*("success",) * 10, "pending", "failed")
"""Of profiles, in lower case; failed is a failing one."""
_OF_PARAMETERS = (*("PASS",) * 14, "WARNING", "REMEDIATED", "ERROR", "PENDING")
_MOBILE = frozenset({"profile", "custom-profile", "ipa-app", "setup"})
"""Kinds of library items that devices other than Macs get."""


def library_items(device: Device) -> list[Json]:
    """Return those of the device's blueprint that are meant for its platform."""
    if device.blueprint is None or device.checked_in is None:
        return []
    found = ((item, name, ITEM_KINDS.get(name, "automatic-app")) for item, name in device.blueprint.items.items())
    return [_item(device, *known) for known in found if device.platform == "Mac" or known[2] in _MOBILE]


def parameters(device: Device) -> list[Json]:
    """Return those that the blueprint of a Mac has; other devices have none."""
    if device.platform != "Mac" or device.checked_in is None or device.blueprint is None:
        return []
    known = ((parameter_id(parameter["name"]), parameter) for parameter in FACTS["parameters"])
    return [_parameter(device, item, parameter) for item, parameter in known if item in device.blueprint.params]


def _item(device: Device, item: str, name: str, kind: str) -> Json:
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


def _parameter(device: Device, item: str, known: dict[str, str]) -> Json:
    number = stable_hash("parameter", device.id, item)
    return {"item_id": item, **known, "status": _state(device, item, pick(number, _OF_PARAMETERS), number).status}


def _state(device: Device, item: str, drawn: str, number: int) -> ItemState:
    """Return what was set by hand, else what is drawn, reported in the device's past."""
    past = device.drawn_until - number % (20 * DAY) // SECOND * SECOND
    return (device.states or {}).get(item) or ItemState(drawn, max(device.first_collected, past))


def lost_mode(state: TenantState, device: Device) -> list[Json]:
    """Return the section of a device that is lost; none where lost mode is off."""
    section = lost_mode_section(device.lost_mode, state.managed(device.id).lost)
    return [section] if section and device.lost_mode == ENABLED else []


MAKERS: Makers = {
    "device_library_items": lambda tables: DeviceRows(tables.state, library_items),
    "device_parameters": lambda tables: DeviceRows(tables.state, parameters),
    "device_activity": lambda tables: DeviceRows(tables.state, lambda device: tables.state.managed(device.id).activity),
    "device_commands": lambda tables: DeviceRows(
        tables.state, lambda device: [command_row(c) for c in tables.state.managed(device.id).commands]
    ),
    "device_notes": lambda tables: DeviceRows(
        tables.state, lambda device: [note_row(note) for note in tables.state.managed(device.id).notes.values()]
    ),
    "lost_mode": lambda tables: DeviceRows(tables.state, lambda device: lost_mode(tables.state, device), single=True),
}
