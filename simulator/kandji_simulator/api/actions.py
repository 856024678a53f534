"""What each device action does in the tenant: for which platforms, after which checks, by which MDM command.

Written from the provider's documentation and not from our own action records, which it is there to check. Texts of
refusals that the provider does not publish are marked so.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from kandji_schema.http import Request, Response
from kandji_simulator.api import action_effects as effects
from kandji_simulator.api.bodies import Body, Key, Refused, a_filled_text, a_flag, a_text, read_body, refused, texts
from kandji_simulator.api.routing import EMPTY, NOT_FOUND, Route, json_answer, route
from kandji_simulator.simulation.world import World
from kandji_simulator.world.hardware import APPLE
from kandji_simulator.world.management import ENABLED, MOBILE
from kandji_simulator.world.records import Device
from kandji_simulator.world.seed_data import ITEM_KINDS

PIN_LENGTH = 6
NOT_LOST = ["Device is not in lost mode."]


def lock_check(world: World, device: Device, body: Body) -> None:
    """Refuse to lock a Mac twice; a mobile device locks its screen as often as wanted."""
    if world.managed(device.id).locked:
        raise refused(400, "This device is already locked.")


def erase_check(world: World, device: Device, body: Body) -> None:
    """Check the PIN, which counts on Macs only, and the profile, which has to be one of the device's."""
    if device.platform == "Mac" and len(body.get("PIN", "0" * PIN_LENGTH)) != PIN_LENGTH:
        raise refused(400, {"PIN": [f"Ensure this field has {PIN_LENGTH} characters."]})  # wording not published
    if "ReturnToService" in body:
        _check_return(device, body["ReturnToService"])


def _check_return(device: Device, asked: Body) -> None:
    wrong = a_flag(asked.get("Enabled")) or a_text(asked.get("ProfileId", ""))
    if wrong:
        raise refused(400, {"ReturnToService": [wrong]})
    items = device.blueprint.items if device.blueprint else {}
    profiles = {"", *(item for item, name in items.items() if ITEM_KINDS.get(name, "").endswith("profile"))}
    if asked["Enabled"] and asked.get("ProfileId", "") not in profiles:
        raise refused(400, "The specified profile is not in scope for the device")


def user_named(world: World, device: Device, body: Body) -> None:
    """Refuse a body that names neither somebody nor everybody."""
    if not body.get("DeleteAllUsers") and "UserName" not in body:
        raise refused(400, {"UserName": ["This field is required."]})


def lost_already(world: World, device: Device, body: Body) -> None:
    """Refuse to enable lost mode twice."""
    if device.lost_mode == ENABLED:
        raise refused(400, "Lost mode is already enabled for this device.")  # wording not published


def in_lost_mode(world: World, device: Device, body: Body) -> None:
    """Refuse for a device that is not lost: only lost ones tell where they are."""
    if device.lost_mode != ENABLED:
        raise not_lost()


def not_disabling_twice(world: World, device: Device, body: Body) -> None:
    """Refuse in words of its own while the same command still waits."""
    in_lost_mode(world, device, body)
    if world.is_waiting(device.id, "disablelostmode"):
        raise refused(400, "Disable lost mode is already pending for this device.")


def not_lost() -> Refused:
    """Return the one bare array among the refusals of a device."""
    return refused(400, NOT_LOST)


MAC = frozenset({"Mac"})
_SECRET = frozenset({"PIN", "newPassword"})


def _nothing(world: World, device: Device, body: Body) -> None:
    """Check nothing: no rule but those of all actions."""


def _empty(world: World, device: Device, body: Body) -> Response:
    return EMPTY


@dataclass(frozen=True)
class Action:
    """``command`` is the MDM command's type, "" where none is sent, ``request`` its request type where that differs.

    ``check`` raises ``Refused``; ``effect`` happens when the device answers, and may give its error; ``answer`` is
    made when the command was queued.
    """

    platforms: frozenset[str]
    command: str | Callable[[Body], str]
    request: str = ""
    keys: Mapping[str, Key] = field(default_factory=dict)
    check: Callable[[World, Device, Body], None] = _nothing
    effect: effects.Effect = _nothing
    answer: Callable[[World, Device, Body], Response] = _empty

    def kind(self, body: Body) -> str:
        """Return the command's type."""
        return self.command if isinstance(self.command, str) else self.command(body)

    def metadata(self, body: Body) -> dict[str, Any]:
        """Return what the list of commands says of the body: no secret."""
        return {name: value for name, value in body.items() if name not in _SECRET}


def _checked_in(world: World, device: Device, body: Body) -> Response:
    return json_answer(200, {"message": f"Daily check-in initiated for {device.name}"})


def _remote_desktop(body: Body) -> str:
    return f"{'Enable' if body['EnableRemoteDesktop'] else 'Disable'}RemoteDesktop"


_TEXT, _FLAG = Key(a_text), Key(a_flag)
_NAMED, _SWITCHED = Key(a_filled_text, required=True), Key(a_flag, required=True)
_PHONE_TEXTS = {"Message": _TEXT, "PhoneNumber": _TEXT}
_ERASE_KEYS = {
    "PIN": _TEXT,
    "PreserveDataPlan": _FLAG,
    "DisallowProximitySetup": _FLAG,
    "ReturnToService": Key(lambda value: "" if isinstance(value, dict) else "Expected a dictionary of items."),
    "erase_mode": _TEXT,
    "erase_flags": _TEXT,
}

ACTIONS: Mapping[str, Action] = {
    "lock": Action(
        MAC | MOBILE | {"Android"},
        "DeviceLock",
        keys=_PHONE_TEXTS,
        check=lock_check,
        effect=effects.lock_down,
        answer=effects.lock_pin,
    ),
    "erase": Action(
        APPLE | {"Windows", "Android"}, "EraseDevice", keys=_ERASE_KEYS, check=erase_check, effect=effects.erase
    ),
    "restart": Action(APPLE, "RestartDevice", keys={"RebuildKernelCache": _FLAG, "NotifyUser": _FLAG}),
    "shutdown": Action(MAC | MOBILE, "ShutDownDevice", effect=effects.shut_down),
    "setname": Action(APPLE, "DeviceName", "Settings", keys={"DeviceName": _NAMED}, effect=effects.rename),
    "blankpush": Action(APPLE, ""),
    "dailycheckin": Action(APPLE | {"Windows"}, "DeviceInformation", answer=_checked_in),
    "updateinventory": Action(APPLE, "DeviceInformation"),
    "renewmdmprofile": Action(APPLE, "RenewMDMProfile", "InstallProfile"),
    "reinstallagent": Action(MAC, "InstallEnterpriseApplication", effect=effects.reinstall_agent),
    "unlockaccount": Action(MAC, "UnlockUserAccount", keys={"UserName": _NAMED}, effect=effects.find_user),
    "deleteuser": Action(
        MAC | {"iPad"},
        "DeleteUser",
        keys={"UserName": Key(a_filled_text), "DeleteAllUsers": _FLAG, "ForceDeletion": _FLAG},
        check=user_named,
        effect=effects.delete_users,
    ),
    "remotedesktop": Action(
        MAC, _remote_desktop, keys={"EnableRemoteDesktop": _SWITCHED}, effect=effects.remote_desktop
    ),
    "enablelostmode": Action(
        MOBILE,
        "EnableLostMode",
        keys={**_PHONE_TEXTS, "Footnote": _TEXT},
        check=lost_already,
        effect=effects.enable_lost_mode,
    ),
    "disablelostmode": Action(MOBILE, "DisableLostMode", check=not_disabling_twice, effect=effects.disable_lost_mode),
    "playlostmodesound": Action(MOBILE, "PlayLostModeSound", check=in_lost_mode, effect=effects.play_sound),
    "updatelocation": Action(MOBILE, "DeviceLocation", check=in_lost_mode, effect=effects.locate),
    "clearpasscode": Action(MOBILE, "ClearPasscode"),
    "resetworkprofilepasscode": Action(
        frozenset({"Android"}),
        "ResetPassword",
        keys={"newPassword": _TEXT, "resetPasswordFlags": Key(texts)},
    ),
    "refreshcellularplans": Action(MOBILE, "RefreshCellularPlans", keys={"eSIMServerURL": _NAMED}),
    "toggledataroaming": Action(
        MOBILE,
        "DataRoaming",
        "Settings",
        keys={"Enabled": _SWITCHED},
        effect=effects.switch_cellular("data_roaming_enabled"),
    ),
    "togglepersonalhotspot": Action(
        MOBILE,
        "PersonalHotspot",
        "Settings",
        keys={"Enabled": _SWITCHED},
        effect=effects.switch_cellular("personal_hotspot_enabled"),
    ),
}
"""By the last part of the path."""


def action_routes(world: World) -> list[Route]:
    """Return one route an action."""
    return [
        route("POST", f"/api/v1/devices/{{device_id}}/action/{name}", partial(_act, world, name, action))
        for name, action in ACTIONS.items()
    ]


def _act(world: World, name: str, action: Action, request: Request, found: Mapping[str, str]) -> Response:
    device = world.devices.get(found["device_id"])
    if device is None:
        return NOT_FOUND
    body = read_body(request, action.keys)
    _check(world, device, name, action, body)
    if action.command:
        effect = partial(action.effect, world, device, body)
        kind = action.kind(body)
        world.queue_command(device, name, kind, action.request or kind, action.metadata(body), effect)
    return action.answer(world, device, body)


def _check(world: World, device: Device, name: str, action: Action, body: Body) -> None:
    if device.platform not in action.platforms:
        raise refused(400, "Command is not allowed for current device")
    action.check(world, device, body)
    if world.is_waiting(device.id, name):
        raise refused(400, "Command already running")
