"""What is true of the tenant as a whole: its tags and its licences."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the world owns its listings
    from kandji_simulator.world import World

_SPARE = 50
"""Licences nobody uses."""


def tags(world: World) -> list[dict[str, Any]]:
    """Names as they stand on devices."""
    return [{"id": identifier, "name": name} for name, identifier in world.tags.items()]


def licensing(world: World) -> list[dict[str, Any]]:
    """The one object: devices of all platforms, and of Apple's by platform."""
    platforms = Counter(device.platform for device in world.devices.values())
    counts = {
        "computers_count": platforms.total(),
        "macos_count": platforms["Mac"],
        "ios_count": platforms["iPhone"],
        "ipados_count": platforms["iPad"],
        "tvos_count": platforms["AppleTV"],
    }
    limits = {
        "plan_type": "single_limit",
        "max_devices": -(-platforms.total() // 100) * 100 + _SPARE,
        "max_devices_per_platform": {"macos": 0, "ios_ipados": 0},
    }
    return [{"counts": counts, "limits": limits, "tenantOverLicenseLimit": False}]
