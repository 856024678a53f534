"""Commands to a device, and its removal."""

from kandji_schema.actions.arguments import Argument, Kind
from kandji_schema.actions.record import APPLE, MAC, MOBILE, Action, Facts, OutcomeCheck, Risk, Values
from kandji_schema.errors import UsageError

_COMMAND = "/api/v1/devices/{device_id}/action/"
_FIRST_LOCKABLE = (11, 5)
"""macOS before this deactivates an Apple-silicon Mac when it is locked (the provider's documentation)."""


def _older_silicon(device: Facts, _: Values) -> tuple[str, ...]:
    if device.get("platform") != "Mac" or not _before(str(device.get("os_version") or ""), _FIRST_LOCKABLE):
        return ()
    return (
        "It runs macOS before 11.5: if it has Apple silicon, the lock DEACTIVATES it, and it must be activated again "
        "over the network before anyone can use it.",
    )


def _before(version: str, limit: tuple[int, int]) -> bool:
    """Also where the version is not known: then nobody can say that it is safe."""
    parts = [int(part) if part.isdigit() else 0 for part in version.split(".")[:2]]
    return tuple(parts + [0] * (2 - len(parts))) < limit


def _erase_fits(values: Values) -> None:
    if values.get("return_to_service_profile_id") and not values.get("return_to_service"):
        raise UsageError(
            "return_to_service_profile_id needs return_to_service=true beside it, or leave both out. Nothing was sent."
        )


MESSAGE = Argument(
    name="message",
    key="Message",
    kind=Kind.LINES,
    personal=True,
    description="Text on the lock screen.",
    sample="Call IT",
)
PHONE = Argument(
    name="phone_number", key="PhoneNumber", personal=True, longest=50, description="Phone number on the lock screen."
)

LOCK = Action(
    name="lock",
    title="Lock a device",
    tool="lock_device",
    path=_COMMAND + "lock",
    arguments=(MESSAGE, PHONE),
    platforms=("Mac", "iPhone", "iPad", "Android"),
    consequences=(
        "The device locks at its next contact. A Mac restarts and asks for a PIN, which the answer shows once and "
        "`kandji-mirror secret unlockpin` later; unsaved work on it is lost.",
    ),
    warn=_older_silicon,
    commands=("DeviceLock",),
    reveals={"PIN": "unlock_pin", "pin": "unlock_pin", "unlock_pin": "unlock_pin"},
    permission="Lock",
)

RESTART = Action(
    name="restart",
    title="Restart a device",
    tool="restart_device",
    path=_COMMAND + "restart",
    arguments=(
        Argument(
            name="notify_user",
            key="NotifyUser",
            kind=Kind.FLAG,
            platforms=MAC,
            description="Ask the user to restart when it suits (macOS 11.3 and later).",
        ),
        Argument(
            name="rebuild_kernel_cache",
            key="RebuildKernelCache",
            kind=Kind.FLAG,
            platforms=MAC,
            description="Rebuild the kernel cache on the way (macOS 11 and later).",
        ),
    ),
    platforms=APPLE,
    consequences=("The device restarts at its next contact; unsaved work on it is lost.",),
    commands=("RestartDevice",),
    permission="Restart",
)

SHUTDOWN = Action(
    name="shutdown",
    title="Shut down a device",
    tool="shutdown_device",
    path=_COMMAND + "shutdown",
    risk=Risk.DESTROYS,
    platforms=("Mac", *MOBILE),
    consequences=(
        "The device turns off at its next contact; unsaved work on it is lost. Nothing can turn it on from afar: "
        "somebody has to press its button.",
    ),
    commands=("ShutDownDevice",),
    permission="Shutdown",
)

ERASE = Action(
    name="erase",
    title="Erase a device",
    tool="erase_device",
    path=_COMMAND + "erase",
    risk=Risk.DESTROYS,
    arguments=(
        Argument(
            name="pin",
            key="PIN",
            kind=Kind.PIN,
            secret=True,
            platforms=MAC,
            description="Six digits that a Mac asks for afterwards (Find My); older Intel Macs need one.",
        ),
        Argument(
            name="preserve_data_plan",
            key="PreserveDataPlan",
            kind=Kind.FLAG,
            description="Keep the eSIM's data plan; the provider's default is true.",
        ),
        Argument(
            name="disallow_proximity_setup",
            key="DisallowProximitySetup",
            kind=Kind.FLAG,
            description="No setup by a device nearby; the provider's default is false.",
        ),
        Argument(
            name="return_to_service",
            key="ReturnToService.Enabled",
            kind=Kind.FLAG,
            description="Enrol again without anyone touching it (iOS and iPadOS 17 and later).",
        ),
        Argument(
            name="return_to_service_profile_id",
            key="ReturnToService.ProfileId",
            kind=Kind.ID,
            description="Library item of the Wi-Fi profile it then uses.",
        ),
        Argument(
            name="erase_mode",
            key="erase_mode",
            choices=("WIPE", "WIPE_CLOUD", "WIPE_PROTECTED"),
            platforms=("Windows",),
            description="How Windows erases itself.",
        ),
        Argument(
            name="erase_flags",
            key="erase_flags",
            choices=("WIPE_EXTERNAL_STORAGE", "WIPE_ESIMS", "WIPE_EXTERNAL_STORAGE,WIPE_ESIMS"),
            platforms=("Android",),
            description="What else Android erases.",
        ),
    ),
    check=_erase_fits,
    consequences=(
        "EVERYTHING ON THE DEVICE IS DESTROYED: data, apps, settings, the operating system's setup. This cannot be "
        "stopped once the device got it, and nothing brings the data back.",
    ),
    commands=("EraseDevice",),
    tables=("devices",),
    permission="Erase",
)

DELETE = Action(
    name="delete",
    title="Delete a device",
    tool="delete_device",
    path="/api/v1/devices/{device_id}",
    method="DELETE",
    risk=Risk.DESTROYS,
    consequences=(
        "The device's record is removed AND the device is unenrolled: management profiles and what they installed go, "
        "and the agent uninstalls itself. It is not wiped. Its escrowed keys can no longer be read here.",
    ),
    outcome_check=OutcomeCheck.GONE,
    tables=("devices",),
    aliases=("deletedevice",),
    permission="Delete device",
)

SETNAME = Action(
    name="setname",
    title="Name a device",
    tool="set_device_name",
    path=_COMMAND + "setname",
    arguments=(
        Argument(
            name="device_name",
            key="DeviceName",
            sample="Loaner 12",
            required=True,
            personal=True,
            longest=255,
            description="The new name.",
        ),
    ),
    platforms=APPLE,
    consequences=("The device gets another name, which also becomes its name on the network.",),
    commands=("SetDeviceName", "DeviceName", "SetName", "Settings"),
    tables=("devices",),
    permission="Set name",
)

BLANKPUSH = Action(
    name="blankpush",
    title="Wake a device",
    tool="send_blank_push",
    path=_COMMAND + "blankpush",
    risk=Risk.ADDS,
    platforms=APPLE,
    consequences=("The device is asked to contact the service; nothing on it changes by that.",),
    permission="Blank push",
)

DAILYCHECKIN = Action(
    name="dailycheckin",
    title="Start a daily check-in",
    tool="start_daily_checkin",
    path=_COMMAND + "dailycheckin",
    risk=Risk.ADDS,
    platforms=(*APPLE, "Windows"),
    consequences=("The device runs its daily check-in now and gets what is due for it.",),
    commands=("DailyCheckIn", "DeviceInformation"),
    permission="Daily check-in",
)

UPDATEINVENTORY = Action(
    name="updateinventory",
    title="Update a device's inventory",
    tool="update_device_inventory",
    path=_COMMAND + "updateinventory",
    risk=Risk.ADDS,
    platforms=APPLE,
    consequences=("The device reports its inventory now and gets what is due for it.",),
    commands=("UpdateInventory", "DeviceInformation"),
    permission="Update inventory",
)

RENEWMDMPROFILE = Action(
    name="renewmdmprofile",
    title="Renew the MDM profile",
    tool="renew_mdm_profile",
    path=_COMMAND + "renewmdmprofile",
    platforms=APPLE,
    consequences=("The device installs its management profile once more.",),
    commands=("RenewMDMProfile", "RenewMdmProfile", "InstallProfile"),
    permission="Renew MDM profile",
)

REINSTALLAGENT = Action(
    name="reinstallagent",
    title="Reinstall the agent",
    tool="reinstall_agent",
    path=_COMMAND + "reinstallagent",
    platforms=MAC,
    consequences=("The Mac installs the agent once more.",),
    commands=("ReinstallAgent", "InstallEnterpriseApplication", "InstallApplication"),
    permission="Reinstall agent",
)
