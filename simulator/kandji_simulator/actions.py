"""What each device action does in the tenant: for which platforms, by which MDM command, with what outcome.

Written from the provider's documentation and not from our own action records, which it is there to check. Texts of
refusals that the provider does not publish are marked so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kandji_schema.http import Response
from kandji_simulator.action_checks import (
    erase_check,
    in_lost_mode,
    lock_check,
    lost_already,
    not_disabling_twice,
    user_named,
)
from kandji_simulator.action_effects import (
    delete_users,
    disable_lost_mode,
    enable_lost_mode,
    erase,
    find_user,
    locate,
    lock_down,
    lock_pin,
    play_sound,
    reinstall_agent,
    remote_desktop,
    rename,
    shut_down,
    switch_cellular,
)
from kandji_simulator.answers import EMPTY, json_answer
from kandji_simulator.bodies import Body, Key, a_filled_text, a_flag, a_text, texts
from kandji_simulator.hardware import APPLE
from kandji_simulator.lost_mode import MOBILE

if TYPE_CHECKING:  # the world queues what these say
    from kandji_simulator.records import Device
    from kandji_simulator.world import World

MAC = frozenset({"Mac"})
_SECRET = frozenset({"PIN", "newPassword"})


def _nothing(world: World, device: Device, body: Body) -> None:
    """No rule but those of all actions."""


def _no_effect(world: World, device: Device, body: Body) -> str:
    """Nothing the inventory shows."""
    return ""


def _empty(world: World, device: Device, body: Body) -> Response:
    return EMPTY


@dataclass(frozen=True)
class Action:
    """``command`` is the MDM command's type, "" where none is sent, ``request`` its request type where that differs.

    ``check`` raises ``Refused``; ``effect`` happens when the device answers, and gives its error or ""; ``answer`` is
    made when the command was queued.
    """

    platforms: frozenset[str]
    command: str | Callable[[Body], str]
    request: str = ""
    keys: Mapping[str, Key] = field(default_factory=dict)
    check: Callable[[World, Device, Body], None] = _nothing
    effect: Callable[[World, Device, Body], str] = _no_effect
    answer: Callable[[World, Device, Body], Response] = _empty

    def kind(self, body: Body) -> str:
        """The command's type."""
        return self.command if isinstance(self.command, str) else self.command(body)

    def metadata(self, body: Body) -> dict[str, Any]:
        """What the list of commands says of the body: no secret."""
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
        MAC | MOBILE | {"Android"}, "DeviceLock", keys=_PHONE_TEXTS, check=lock_check, effect=lock_down, answer=lock_pin
    ),
    "erase": Action(APPLE | {"Windows", "Android"}, "EraseDevice", keys=_ERASE_KEYS, check=erase_check, effect=erase),
    "restart": Action(APPLE, "RestartDevice", keys={"RebuildKernelCache": _FLAG, "NotifyUser": _FLAG}),
    "shutdown": Action(MAC | MOBILE, "ShutDownDevice", effect=shut_down),
    "setname": Action(APPLE, "DeviceName", "Settings", keys={"DeviceName": _NAMED}, effect=rename),
    "blankpush": Action(APPLE, ""),
    "dailycheckin": Action(APPLE | {"Windows"}, "DeviceInformation", answer=_checked_in),
    "updateinventory": Action(APPLE, "DeviceInformation"),
    "renewmdmprofile": Action(APPLE, "RenewMDMProfile", "InstallProfile"),
    "reinstallagent": Action(MAC, "InstallEnterpriseApplication", effect=reinstall_agent),
    "unlockaccount": Action(MAC, "UnlockUserAccount", keys={"UserName": _NAMED}, effect=find_user),
    "deleteuser": Action(
        MAC | {"iPad"},
        "DeleteUser",
        keys={"UserName": Key(a_filled_text), "DeleteAllUsers": _FLAG, "ForceDeletion": _FLAG},
        check=user_named,
        effect=delete_users,
    ),
    "remotedesktop": Action(MAC, _remote_desktop, keys={"EnableRemoteDesktop": _SWITCHED}, effect=remote_desktop),
    "enablelostmode": Action(
        MOBILE,
        "EnableLostMode",
        keys={**_PHONE_TEXTS, "Footnote": _TEXT},
        check=lost_already,
        effect=enable_lost_mode,
    ),
    "disablelostmode": Action(MOBILE, "DisableLostMode", check=not_disabling_twice, effect=disable_lost_mode),
    "playlostmodesound": Action(MOBILE, "PlayLostModeSound", check=in_lost_mode, effect=play_sound),
    "updatelocation": Action(MOBILE, "DeviceLocation", check=in_lost_mode, effect=locate),
    "clearpasscode": Action(MOBILE, "ClearPasscode"),
    "resetworkprofilepasscode": Action(
        frozenset({"Android"}),
        "ResetPassword",
        keys={"newPassword": _TEXT, "resetPasswordFlags": Key(texts)},
    ),
    "refreshcellularplans": Action(MOBILE, "RefreshCellularPlans", keys={"eSIMServerURL": _NAMED}),
    "toggledataroaming": Action(
        MOBILE, "DataRoaming", "Settings", keys={"Enabled": _SWITCHED}, effect=switch_cellular("data_roaming_enabled")
    ),
    "togglepersonalhotspot": Action(
        MOBILE,
        "PersonalHotspot",
        "Settings",
        keys={"Enabled": _SWITCHED},
        effect=switch_cellular("personal_hotspot_enabled"),
    ),
}
"""By the last part of the path."""
