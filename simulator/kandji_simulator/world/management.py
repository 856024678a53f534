"""What the tenant keeps of a device besides its inventory: MDM commands, activity, notes, lost mode, a PIN."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from kandji_simulator.world.hardware import APPLE
from kandji_simulator.world.records import Device
from kandji_simulator.world.rng import stable_hash, uuid_from
from kandji_simulator.world.time import DAY, MINUTE, SECOND, zulu

MOBILE = frozenset({"iPhone", "iPad"})
"""Platforms that have it."""
ENABLED, DISABLED = "ENABLED", "DISABLED"
_WHO = "Robin Ashe"
_PLACES = (("52.520008", "13.404954"), ("48.856613", "2.352222"), ("40.712776", "-74.005974"))
"""Where lost devices are found, one place after the other."""


@dataclass(slots=True, eq=False)
class LostMode:
    """``located`` counts how often the device said where it is, the last time at ``located_at``."""

    message: str
    phone: str
    footnote: str
    enabled: int
    located: int = 0
    located_at: int = 0
    sounded: int | None = None
    disabled: int | None = None


def lost_mode_section(status: str, lost: LostMode | None) -> dict[str, Any]:
    """Return the section as the provider sends it; empty where lost mode was never used."""
    if lost is None:
        return {}
    latitude, longitude = _PLACES[lost.located % len(_PLACES)]
    return {
        "lost_mode_status": status,
        "enabled_by": _WHO,
        "enable_status_at": zulu(lost.enabled),
        "lock_screen_message": lost.message,
        "lock_screen_phone_number": lost.phone,
        "lock_screen_footnote": lost.footnote,
        "disable_status": "" if lost.disabled is None else "SUCCESS",
        "disabled_by": "" if lost.disabled is None else _WHO,
        "disable_status_at": "" if lost.disabled is None else zulu(lost.disabled),
        "last_location_status": "SUCCESS",
        "last_location_status_at": zulu(lost.located_at),
        "last_location": {"latitude": latitude, "longitude": longitude},
        "last_location_at": zulu(lost.located_at),
        "sound_status": "" if lost.sounded is None else "SUCCESS",
        "sound_status_at": "" if lost.sounded is None else zulu(lost.sounded),
    }


Json = dict[str, Any]


Carry = Callable[[], str | None]
"""Does what a command says, and gives the device's error, None for none."""


class Status(IntEnum):
    """Of an MDM command, in the provider's numbers."""

    PENDING = 1
    RUNNING = 2
    COMPLETED = 3
    FAILED = 4
    NOT_NOW = 5

    @property
    def final(self) -> bool:
        """A device that says "not now" is asked again."""
        return self in {Status.COMPLETED, Status.FAILED}


@dataclass(slots=True, eq=False)
class Command:
    """``done`` is what it does on the device; it gives the device's error, None for none."""

    id: str
    device_id: str
    action: str
    type: str
    request: str
    requested: int
    metadata: Mapping[str, Any] = field(default_factory=dict)
    done: Carry = lambda: None
    status: Status = Status.PENDING
    attempts: int = 0
    pushed: int | None = None
    completed: int | None = None
    error: str = ""


@dataclass(slots=True, eq=False)
class Note:
    """``content`` is HTML, as people wrote it."""

    id: str
    created: int
    updated: int
    author: str
    content: str


@dataclass(slots=True, eq=False)
class Managed:
    """Of one device. ``pin`` unlocks it; ``off``: it was shut down; ``deleted`` names accounts that are gone."""

    commands: list[Command]
    activity: list[Json]
    notes: dict[str, Note]
    lost: LostMode | None
    pin: str | None = None
    locked: bool = False
    off: bool = False
    remote_desktop: bool | None = None
    deleted: frozenset[str] = frozenset()


def newly_managed(device: Device) -> Managed:
    """Return what is kept of a device to which nothing was done since it enrolled."""
    note = _first_note(device)
    commands, number = _enrolling(device), stable_hash("activity", device.id) % _FIRST_NUMBER - _FIRST_NUMBER
    enrolment = {"blueprint_name": device.blueprint.name if device.blueprint else "", "enrollment_type": "DEP"}
    activity = [activity_row(device, device.enrolled, number, "enrollment", enrolment)]
    for place, command in enumerate(commands, start=1):
        when = command.completed or device.enrolled
        activity.append(activity_row(device, when, number + place, "mdm_command_completed", command_row(command)))
    since, message = device.enrolled + DAY, "Please bring this back to the front desk"
    lost = LostMode(message, "+1 (555) 010-0199", "", since, 0, since) if device.lost_mode else None
    return Managed(commands, activity, {note.id: note} if note else {}, lost)


def command_row(command: Command) -> Json:
    """Return one row of ``GET /devices/{device_id}/commands``."""
    error = {"ErrorCode": 12_021, "ErrorDomain": "MCMDMErrorDomain", "LocalizedDescription": command.error}
    return {
        "uuid": command.id,
        "error_chain": [error] if command.error else [],
        "command_type": command.type,
        "request_type": command.request,
        "metadata": dict(command.metadata),
        "request_requires_network_tether": False,
        "status": int(command.status),
        "attempts": command.attempts,
        "date_requested": zulu(command.requested),
        "date_completed": None if command.completed is None else zulu(command.completed),
        "last_pushed": None if command.pushed is None else zulu(command.pushed),
        "user": None,
        "priority": 0,
    }


_FIRST_NUMBER = 1_000_000
_ENROLLING = (
    ("ActivationLockBypassCode", "ActivationLockBypassCode"),
    ("SetInitialConfiguration", "Settings"),
    ("DeviceConfigured", "DeviceConfigured"),
    ("DeviceInformation", "DeviceInformation"),
)
"""Commands every Apple device was sent when it enrolled, and their request types."""


def _enrolling(device: Device) -> list[Command]:
    return [_past(device, place, *known) for place, known in enumerate(_ENROLLING) if device.platform in APPLE]


def _past(device: Device, place: int, kind: str, request: str) -> Command:
    requested = device.enrolled + place * SECOND
    return Command(
        id=uuid_from(stable_hash("enrolment", device.id, place)),
        device_id=device.id,
        action="",
        type=kind,
        request=request,
        requested=requested,
        status=Status.COMPLETED,
        attempts=1,
        pushed=requested + SECOND // 3,
        completed=requested + SECOND,
    )


def activity_row(device: Device, moment: int, number: int, kind: str, details: Json) -> Json:
    """Return one row of ``GET /devices/{device_id}/activity``; ``number`` is negative for what was before the world."""
    blueprint = device.blueprint
    return {
        "id": _FIRST_NUMBER + number,
        "created_at": zulu(moment),
        "action_type": kind,
        "details": details,
        "computer": {"id": device.id, "name": device.name, "is_removed": device.removed},
        "blueprint": {"id": blueprint.id, "name": blueprint.name, "is_removed": False} if blueprint else None,
        "user": None,
    }


def _first_note(device: Device) -> Note | None:
    """Return the note that somebody wrote about every eighth device."""
    written = device.enrolled + 30 * MINUTE
    text = "<p>Handed over with charger and sleeve.&nbsp;</p>"
    identifier = uuid_from(stable_hash("note", device.id))
    return Note(identifier, written, written + 18, "Robin Ashe", text) if device.number % 8 == 3 else None


def note_row(note: Note) -> dict[str, Any]:
    """Return a note as the provider sends it."""
    return {
        "note_id": note.id,
        "created_at": zulu(note.created),
        "updated_at": zulu(note.updated),
        "author": note.author,
        "content": note.content,
    }
