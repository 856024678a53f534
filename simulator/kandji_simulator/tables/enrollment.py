"""Automated Device Enrollment: tokens, and the devices that Apple knows as the tenant's."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from kandji_simulator.world.hardware import APPLE
from kandji_simulator.world.records import Device
from kandji_simulator.world.rng import pick, stable_hash, uuid_from
from kandji_simulator.world.time import DAY, zulu

if TYPE_CHECKING:  # the world owns its listings
    from kandji_simulator.world.world import World

Json = dict[str, Any]
_SYSTEMS = {"Mac": "OSX", "iPhone": "iOS", "iPad": "iPadOS", "AppleTV": "tvOS"}
_AWAITING_EVERY = 40
"""For so many devices one is still in its box."""


def assigned(device: Device) -> bool:
    """Whether Apple knows the device as the tenant's: seven of ten, virtual machines never."""
    virtual = device.model.identifier.startswith("VirtualMac")
    return device.platform in APPLE and not virtual and stable_hash("ade", device.serial) % 10 < 7


def story(device: Device) -> Json:
    """What Apple says of a device."""
    color = pick(stable_hash("ade", device.serial), ("SPACE GRAY", "SILVER", "MIDNIGHT"), 1)
    return {
        "model": device.model.name.split(" (")[0],
        "color": color,
        "description": f"{device.model.name.upper()} {device.model.capacity:.0f}GB {color}-USA",
        "serial_number": device.serial,
        "device_family": device.platform,
        "os": _SYSTEMS[device.platform],
        "device_assigned_by": "orders@example.com",
        "device_assigned_date": f"{zulu(device.first_enrolled - 30 * DAY)[:19]}Z",
    }


def ade_integrations(world: World) -> list[Json]:
    """Two tokens: one in use, one broken and empty."""
    if not world.devices:
        return []
    families = Counter(row["device_family"] for row in ade_devices(world))
    counts = {**families, "total": families.total()}
    return [_token(world, 0, counts), _token(world, 1, {"total": 0})]


def ade_devices(world: World) -> list[Json]:
    """Enrolled ones, then those awaiting enrolment."""
    enrolled = [_enrolled(world, device) for device in world.devices_from("") if assigned(device)]
    return enrolled + [_awaiting(world, number) for number in range(-(-len(world.devices) // _AWAITING_EVERY))]


def _token_id(world: World, number: int) -> str:
    return uuid_from(stable_hash(world.seed, "ade token", number))


def _server(number: int) -> str:
    return "acme.kandji.io-2" if number else "acme.kandji.io"


def _token(world: World, number: int, counts: Json) -> Json:
    expiry = world.moment + (200 - 190 * number) * DAY
    first = next(iter(world.blueprints.values()), None)
    home = {"id": first.id, "name": first.name, "icon": "ss-files", "color": "aqua-800"} if first else None
    return {
        "id": _token_id(world, number),
        "blueprint": home,
        "access_token_expiry": f"{zulu(expiry)[:19]}Z",
        "server_name": _server(number),
        "server_uuid": uuid_from(stable_hash(world.seed, "ade server", number)),
        "admin_id": "apple-admin@example.com",
        "org_name": "acme",
        "org_email": "apple-admin@example.com",
        "org_phone": "+1 (555) 010-0100",
        "org_address": "1 Example Way,Springfield,USA",
        "org_type": "org",
        "stoken_file_name": f"{_server(number)}_Token_smime.p7m",
        "last_device_sync": zulu(world.moment),
        "defaults": {"email": "it@example.com", "phone": "1234567890"},
        "days_left": (expiry - world.moment) // DAY,
        "status": "BROKEN" if number else "SUCCESS",
        "status_reason": "FORBIDDEN" if number else None,
        "status_received_at": zulu(expiry - 365 * DAY),
        "device_counts": counts,
    }


def _enrolled(world: World, device: Device) -> Json:
    routed = device.number % 3 == 0
    mobile = {
        "id": device.id,
        "enrolled_at": zulu(device.enrolled),
        "name": device.name,
        "enrollment_status": 3 + device.number % 2,
        "deferred_install": False,
        "is_missing": device.missing,
        "is_removed": device.removed,
    }
    row = _row(world, device)
    home = device.blueprint.id if device.blueprint and not routed else None
    user = device.user.id if device.user and device.number % 2 else None
    known = {"blueprint_id": home, "use_blueprint_routing": routed, "user_id": user, "tags": list(device.tags)}
    pushed = {"profile_status": "pushed", "profile_push_time": f"{zulu(device.enrolled)[:19]}Z"}
    return {**row, **known, "mdm_device": mobile, "asset_tag": device.asset_tag or None, **pushed}


def _awaiting(world: World, number: int) -> Json:
    """A device that no list knows yet."""
    return {
        **_row(world, world.generator.boxed(number)),
        "blueprint_id": None,
        "use_blueprint_routing": True,
        "user_id": None,
        "tags": [],
        "mdm_device": None,
        "asset_tag": None,
        "profile_status": ("assigned", "assigned", "empty")[number % 3],
        "profile_push_time": None,
    }


def _row(world: World, device: Device) -> Json:
    assigned_at = f"{zulu(device.first_enrolled - 30 * DAY)[:19]}Z"
    return {
        "id": uuid_from(stable_hash("ade device", device.serial)),
        **story(device),
        "dep_account": {"id": _token_id(world, 0), "server_name": _server(0)},
        "profile_assign_time": assigned_at,
        "last_assignment_status": "SUCCESS",
        "failed_assignment_attempts": 0,
        "assignment_status_received_at": zulu(device.first_enrolled - 30 * DAY),
    }
