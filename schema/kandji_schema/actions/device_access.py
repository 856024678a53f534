"""Who may use a device: accounts, remote desktop and passcode."""

from kandji_schema.actions.arguments import Argument, Kind
from kandji_schema.actions.record import MAC, MOBILE, Action, Risk, Values
from kandji_schema.errors import UsageError

_COMMAND = "/api/v1/devices/{device_id}/action/"


def _deleteuser_fits(values: Values) -> None:
    if bool(values.get("user_name")) == bool(values.get("delete_all_users")):
        raise UsageError("deleteuser needs either user_name or delete_all_users=true. Nothing was sent.")


UNLOCKACCOUNT = Action(
    name="unlockaccount",
    title="Unlock a local account",
    tool="unlock_local_account",
    path=_COMMAND + "unlockaccount",
    arguments=(
        Argument(
            name="user_name",
            key="UserName",
            required=True,
            sample="jane",
            personal=True,
            longest=255,
            description="Short name of the local account.",
        ),
    ),
    platforms=MAC,
    consequences=("The account, locked after too many wrong passwords, can be tried again.",),
    commands=("UnlockUserAccount",),
    permission="Unlock account",
)

DELETEUSER = Action(
    name="deleteuser",
    title="Delete a local user",
    tool="delete_local_user",
    path=_COMMAND + "deleteuser",
    risk=Risk.DESTROYS,
    arguments=(
        Argument(
            name="user_name",
            key="UserName",
            personal=True,
            longest=255,
            description="Short name of the local account.",
            sample="jane",  # it or the next is needed
        ),
        Argument(
            name="delete_all_users",
            key="DeleteAllUsers",
            kind=Kind.FLAG,
            always=False,
            description="All users of the device instead of one.",
        ),
        Argument(
            name="force_deletion",
            key="ForceDeletion",
            kind=Kind.FLAG,
            always=False,
            description="Also where their data was not yet synced.",
        ),
    ),
    check=_deleteuser_fits,
    platforms=("Mac", "iPad"),
    consequences=("The account and EVERYTHING IN ITS HOME FOLDER are deleted from the device.",),
    commands=("DeleteUser",),
    permission="Delete user",
)

REMOTEDESKTOP = Action(
    name="remotedesktop",
    title="Switch remote desktop",
    tool="set_remote_desktop",
    path=_COMMAND + "remotedesktop",
    arguments=(
        Argument(
            name="enable_remote_desktop",
            key="EnableRemoteDesktop",
            kind=Kind.FLAG,
            required=True,
            description="Whether the Mac accepts remote management sessions.",
        ),
    ),
    platforms=MAC,
    consequences=("The Mac starts or stops to accept remote desktop sessions.",),
    commands=("EnableRemoteDesktop", "DisableRemoteDesktop", "RemoteDesktop"),
    permission="Remote desktop",
)

CLEARPASSCODE = Action(
    name="clearpasscode",
    title="Clear a passcode",
    tool="clear_passcode",
    path=_COMMAND + "clearpasscode",
    risk=Risk.DESTROYS,
    platforms=MOBILE,
    consequences=("The device opens WITHOUT A PASSCODE for whoever holds it, until a new one is set.",),
    commands=("ClearPasscode",),
    permission="Clear passcode",
)
