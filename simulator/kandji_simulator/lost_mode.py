"""Lost mode of an iPhone or iPad: what is known of it, and the section of the long record that tells it."""

from dataclasses import dataclass
from typing import Any

from kandji_simulator.moments import DAY, zulu
from kandji_simulator.records import Device

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


def drawn_lost_mode(device: Device) -> LostMode | None:
    """Of a device that was lost before the world began."""
    if not device.lost_mode:
        return None
    since = device.enrolled + DAY
    return LostMode("Please bring this back to the front desk", "+1 (555) 010-0199", "", since, 0, since)


def lost_mode_section(status: str, lost: LostMode | None) -> dict[str, Any]:
    """As the provider sends it; empty where lost mode was never used."""
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
