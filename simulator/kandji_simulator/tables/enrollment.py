"""Automated Device Enrollment: tokens, and the devices that Apple knows as the tenant's.

Both lists are generated; here is which rows there are, and what has to agree with the devices.
"""

from collections import Counter
from collections.abc import Iterator

from kandji_simulator.tables.listing import Json
from kandji_simulator.tables.registry import Makers
from kandji_simulator.world.hardware import APPLE
from kandji_simulator.world.records import Device
from kandji_simulator.world.rng import pick, stable_hash, uuid_from
from kandji_simulator.world.state import TenantState
from kandji_simulator.world.time import DAY, zulu

_SYSTEMS = {"Mac": "OSX", "iPhone": "iOS", "iPad": "iPadOS", "AppleTV": "tvOS"}
_AWAITING_EVERY = 40
"""For so many devices one is still in its box."""
_SERVERS = ("acme.kandji.io", "acme.kandji.io-2")


def assigned(device: Device) -> bool:
    """Tell whether Apple knows the device as the tenant's: seven of ten, virtual machines never."""
    virtual = device.model.identifier.startswith("VirtualMac")
    return device.platform in APPLE and not virtual and stable_hash("ade", device.serial) % 10 < 7


def apple_record(device: Device) -> Json:
    """Return what Apple says of a device."""
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


def _tokens(state: TenantState) -> Iterator[Json]:
    """Yield two tokens: one in use, one broken and empty."""
    families = Counter(device["device_family"] for device in _devices(state))
    for number, counts in enumerate(({**families, "total": families.total()}, {"total": 0})):
        expiry = state.moment + (200 - 190 * number) * DAY
        home = next(iter(state.blueprints.values()), None)
        if state.devices:
            yield {
                "id": _token_id(state, number),
                "server_name": _SERVERS[number],
                "server_uuid": uuid_from(stable_hash(state.seed, "ade server", number)),
                "access_token_expiry": f"{zulu(expiry)[:19]}Z",
                "days_left": (expiry - state.moment) // DAY,
                "status": "BROKEN" if number else "SUCCESS",
                "status_reason": "FORBIDDEN" if number else None,
                "admin_id": "apple-admin@example.com",
                "org_email": "apple-admin@example.com",
                "org_phone": "+1 (555) 010-0100",
                "defaults": {"email": "it@example.com", "phone": "1234567890"},
                "device_counts": counts,
                "device_count": counts["total"],
                "blueprint": {"id": home.id, "name": home.name, "icon": "ss-files", "color": "aqua-800"}
                if home
                else None,
            }


def _token_id(state: TenantState, number: int) -> str:
    return uuid_from(stable_hash(state.seed, "ade token", number))


def _devices(state: TenantState) -> Iterator[Json]:
    """Yield enrolled ones, then those awaiting enrolment, which no list knows yet."""
    for device in state.devices_from(""):
        if assigned(device):
            yield _device(state, device) | _enrolled(device)
    for number in range(-(-len(state.devices) // _AWAITING_EVERY)):
        status = ("assigned", "assigned", "empty")[number % 3]
        boxed: Json = {
            "mdm_device": None,
            "blueprint_id": None,
            "use_blueprint_routing": True,
            "user_id": None,
            "tags": [],
        }
        yield _device(state, state.generator.boxed(number)) | boxed | {"profile_status": status, "asset_tag": None}


def _device(state: TenantState, device: Device) -> Json:
    return {
        "id": uuid_from(stable_hash("ade device", device.serial)),
        **apple_record(device),
        "dep_account": {"id": _token_id(state, 0), "server_name": _SERVERS[0]},
    }


def _enrolled(device: Device) -> Json:
    routed = device.number % 3 == 0
    return {
        "device_id": device.id,
        "device_name": device.name,
        "enrolled_at": zulu(device.enrolled),
        "is_missing": device.missing,
        "is_removed": device.removed,
        "blueprint_id": device.blueprint.id if device.blueprint and not routed else None,
        "use_blueprint_routing": routed,
        "user_id": device.user.id if device.user and device.number % 2 else None,
        "tags": list(device.tags),
        "asset_tag": device.asset_tag or None,
        "profile_status": "pushed",
    }


MAKERS: Makers = {
    "ade_integrations": lambda tables: tables.generated("ade_integrations", lambda: _tokens(tables.state)),
    "ade_devices": lambda tables: tables.generated("ade_devices", lambda: _devices(tables.state)),
}
