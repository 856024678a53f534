"""What a device action is refused for, besides its platform and the shape of its body."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kandji_simulator.bodies import Body, Refused, a_flag, a_text, refused
from kandji_simulator.facts import ITEM_KINDS
from kandji_simulator.lost_mode import ENABLED

if TYPE_CHECKING:  # the world queues what these let pass
    from kandji_simulator.records import Device
    from kandji_simulator.world import World

PIN_LENGTH = 6
_FIRST_TO_RETURN = 17
"""Release of iOS and iPadOS from which return to service is known; older ones and Macs ignore it."""
NOT_LOST = ["Device is not in lost mode."]


def lock_check(world: World, device: Device, body: Body) -> None:
    """A Mac is locked by a PIN once; a mobile device locks its screen as often as wanted."""
    if world.managed(device.id).locked:
        raise refused(400, "This device is already locked.")


def erase_check(world: World, device: Device, body: Body) -> None:
    """A PIN counts on Macs only; a profile has to be one of the device's."""
    if device.platform == "Mac" and len(body.get("PIN", "0" * PIN_LENGTH)) != PIN_LENGTH:
        raise refused(400, {"PIN": [f"Ensure this field has {PIN_LENGTH} characters."]})  # wording not published
    if "ReturnToService" in body:
        _check_return(device, body["ReturnToService"])


def returns_to_service(device: Device, body: Body) -> bool:
    """Whether the erased device enrols again by itself."""
    asked = body.get("ReturnToService", {}).get("Enabled", False)
    known = device.platform in {"iPhone", "iPad"} and int(device.release.version.split(".")[0]) >= _FIRST_TO_RETURN
    return bool(asked and known)


def _check_return(device: Device, asked: Body) -> None:
    wrong = a_flag(asked.get("Enabled")) or a_text(asked.get("ProfileId", ""))
    if wrong:
        raise refused(400, {"ReturnToService": [wrong]})
    items = device.blueprint.items if device.blueprint else {}
    profiles = {"", *(item for item, name in items.items() if ITEM_KINDS.get(name, "").endswith("profile"))}
    if asked["Enabled"] and asked.get("ProfileId", "") not in profiles:
        raise refused(400, "The specified profile is not in scope for the device")


def user_named(world: World, device: Device, body: Body) -> None:
    """Somebody, or everybody."""
    if not body.get("DeleteAllUsers") and "UserName" not in body:
        raise refused(400, {"UserName": ["This field is required."]})


def lost_already(world: World, device: Device, body: Body) -> None:
    """It is enabled once."""
    if device.lost_mode == ENABLED:
        raise refused(400, "Lost mode is already enabled for this device.")  # wording not published


def in_lost_mode(world: World, device: Device, body: Body) -> None:
    """Only lost devices tell where they are."""
    if device.lost_mode != ENABLED:
        raise not_lost()


def not_disabling_twice(world: World, device: Device, body: Body) -> None:
    """It has its own words for a command that still waits."""
    in_lost_mode(world, device, body)
    if world.is_waiting(device.id, "disablelostmode"):
        raise refused(400, "Disable lost mode is already pending for this device.")


def not_lost() -> Refused:
    """The one bare array among the refusals of a device."""
    return refused(400, NOT_LOST)
