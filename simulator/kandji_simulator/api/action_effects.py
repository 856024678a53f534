"""What happens in the world when a device has carried out an action; some give the device's error."""

from collections.abc import Callable

from kandji_schema.http import Response
from kandji_simulator.api.bodies import Body
from kandji_simulator.api.routing import EMPTY, json_answer
from kandji_simulator.simulation.world import World
from kandji_simulator.tables.prism import ListCategory, Record, reports
from kandji_simulator.world.hardware import AGENT_VERSIONS
from kandji_simulator.world.management import DISABLED, ENABLED, LostMode
from kandji_simulator.world.records import Device
from kandji_simulator.world.rng import stable_hash

Effect = Callable[[World, Device, Body], str | None]
"""Gives the device's error, None for none."""
_TABLE = "prism_local_users"
_FIRST_PERSON = 501
"""Accounts below this number are the system's."""


def accounts(world: World, device: Device) -> frozenset[str]:
    """Return the names of accounts that people use; of an iPad there is no list, only the one it was set up with."""
    listed = {str(row.columns["username"]) for row in _people(world, device)}
    return frozenset(listed | {device.account}) - world.managed(device.id).deleted


def delete_accounts(world: World, device: Device, names: frozenset[str]) -> None:
    """Delete accounts, from Prism too."""
    gone = [row.position for row in _people(world, device) if row.columns["username"] in names]
    world.managed(device.id).deleted |= names
    category = world.tables.category(_TABLE) if gone else None
    if isinstance(category, ListCategory):
        category.put(device, dict.fromkeys(gone))


def _people(world: World, device: Device) -> list[Record]:
    if _TABLE not in world.resources or not reports(device, world.tables.named(_TABLE)):
        return []
    category = world.tables.category(_TABLE)
    return [row for row in category.records(device) if row.columns["uid"] >= _FIRST_PERSON]


_NO_USER = "The user could not be found."


def lock_pin(world: World, device: Device, body: Body) -> Response:
    """Draw, keep and return the PIN of a Mac."""
    if device.platform != "Mac":
        return EMPTY
    known = world.managed(device.id)
    known.pin = f"{stable_hash(world.seed, 'pin', world.count_up('pin')) % 1_000_000:06d}"
    return json_answer(200, {"PIN": known.pin})


def lock_down(world: World, device: Device, body: Body) -> None:
    """Lock a Mac until somebody types the PIN."""
    world.managed(device.id).locked = device.platform == "Mac"


def erase(world: World, device: Device, body: Body) -> None:
    """Let the device leave the management, unless it returns to service; keep a PIN for a Mac."""
    known = world.managed(device.id)
    device.lost_mode, known.lost, known.locked = "", None, False
    if device.platform == "Mac" and "PIN" in body:
        known.pin = body["PIN"]
    if returns_to_service(device, body):
        device.enrolled = world.moment
    else:
        device.removed = True


def shut_down(world: World, device: Device, body: Body) -> None:
    """Switch the device off: it hears nothing until it checks in again."""
    world.managed(device.id).off = True


def rename(world: World, device: Device, body: Body) -> None:
    """Change the name in all lists."""
    world.record_activity(device, "name_changed", {"to": body["DeviceName"], "from": device.name})
    world.rename(device.id, body["DeviceName"])


def reinstall_agent(world: World, device: Device, body: Body) -> None:
    """Install the newest agent."""
    device.agent = AGENT_VERSIONS["Mac"][-1]


def remote_desktop(world: World, device: Device, body: Body) -> None:
    """Change what the details of the device show."""
    world.managed(device.id).remote_desktop = body["EnableRemoteDesktop"]


def find_user(world: World, device: Device, body: Body) -> str | None:
    """Unlock an account, which has to exist."""
    return None if body["UserName"] in accounts(world, device) else _NO_USER


def delete_users(world: World, device: Device, body: Body) -> str | None:
    """Delete one account, or all there are."""
    known = accounts(world, device)
    gone = known if body.get("DeleteAllUsers") else known & {body["UserName"]}
    delete_accounts(world, device, gone)
    return None if gone else _NO_USER


def enable_lost_mode(world: World, device: Device, body: Body) -> None:
    """Lock the device, which says where it is."""
    world.managed(device.id).lost = LostMode(
        message=body.get("Message", ""),
        phone=body.get("PhoneNumber", ""),
        footnote=body.get("Footnote", ""),
        enabled=world.moment,
        located_at=world.moment,
    )
    device.lost_mode = ENABLED


def disable_lost_mode(world: World, device: Device, body: Body) -> None:
    """End lost mode; what was known of it stays."""
    _lost(world, device).disabled = world.moment
    device.lost_mode = DISABLED


def play_sound(world: World, device: Device, body: Body) -> None:
    """Change what the details of the device show."""
    _lost(world, device).sounded = world.moment


def locate(world: World, device: Device, body: Body) -> None:
    """Locate the device: it is somewhere else by now."""
    lost = _lost(world, device)
    lost.located, lost.located_at = lost.located + 1, world.moment


def switch_cellular(column: str) -> Effect:
    """Return an effect that switches something of the cellular category."""

    def switch(world: World, device: Device, body: Body) -> None:
        if device.collected is not None and "prism_cellular" in world.resources:
            world.set_fact(device.id, "prism_cellular", **{column: body["Enabled"]})

    return switch


def _lost(world: World, device: Device) -> LostMode:
    known = world.managed(device.id)
    known.lost = known.lost or LostMode("", "", "", world.moment, 0, world.moment)
    return known.lost


def returns_to_service(device: Device, body: Body) -> bool:
    """Tell whether the erased device enrols again by itself."""
    asked = body.get("ReturnToService", {}).get("Enabled", False)
    known = device.platform in {"iPhone", "iPad"} and int(device.release.version.split(".")[0]) >= _FIRST_TO_RETURN
    return bool(asked and known)


_FIRST_TO_RETURN = 17
"""Release of iOS and iPadOS from which return to service is known; older ones and Macs ignore it."""
