"""Lost mode of iPhones and iPads."""

from kandji_schema.actions.arguments import Argument, Kind
from kandji_schema.actions.device import MESSAGE, PHONE
from kandji_schema.actions.record import MOBILE, Action, Risk

_COMMAND = "/api/v1/devices/{device_id}/action/"
_TABLES = ("devices", "device_details")

ENABLE = Action(
    name="enablelostmode",
    title="Switch lost mode on",
    tool="enable_lost_mode",
    path=_COMMAND + "enablelostmode",
    arguments=(
        MESSAGE,
        PHONE,
        Argument(
            name="footnote",
            key="Footnote",
            kind=Kind.LINES,
            personal=True,
            description="Small text at the bottom of the lock screen.",
        ),
    ),
    platforms=MOBILE,
    consequences=("The device locks with your message and can only be used again when lost mode is switched off.",),
    commands=("EnableLostMode",),
    tables=_TABLES,
    permission="Enable lost mode",
)

DISABLE = Action(
    name="disablelostmode",
    title="Switch lost mode off",
    tool="disable_lost_mode",
    path=_COMMAND + "disablelostmode",
    platforms=MOBILE,
    consequences=("The device can be used by whoever holds it and knows its passcode.",),
    commands=("DisableLostMode",),
    tables=_TABLES,
    permission="Disable lost mode",
)

CANCEL = Action(
    name="cancellostmode",
    title="Cancel a stuck lost mode",
    tool="cancel_lost_mode",
    path="/api/v1/devices/{device_id}/details/lostmode",
    method="DELETE",
    platforms=MOBILE,
    consequences=("Lost mode that is in an error state is given up; the device can be used again.",),
    tables=_TABLES,
    permission="Cancel lost mode",
)

SOUND = Action(
    name="playlostmodesound",
    title="Play the lost-mode sound",
    tool="play_lost_mode_sound",
    path=_COMMAND + "playlostmodesound",
    risk=Risk.ADDS,
    platforms=MOBILE,
    consequences=("The device, which has to be in lost mode, plays a loud sound.",),
    commands=("PlayLostModeSound",),
    tables=("device_details",),
    permission="Play lost mode sound",
)

LOCATION = Action(
    name="updatelocation",
    title="Update a lost device's location",
    tool="update_lost_mode_location",
    path=_COMMAND + "updatelocation",
    risk=Risk.ADDS,
    platforms=MOBILE,
    consequences=("The device, which has to be in lost mode, reports where it is.",),
    commands=("DeviceLocation", "UpdateLocation"),
    tables=("device_details",),
    permission="Update location",
)
