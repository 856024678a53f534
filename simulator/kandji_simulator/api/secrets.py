"""Secrets of a device: ``GET /devices/{device_id}/secrets/...``; who reads one is in the audit log, the value never."""

from collections.abc import Callable, Mapping
from functools import partial

from kandji_schema.http import Request, Response
from kandji_simulator.api.routing import Route, json_answer, route
from kandji_simulator.api.writes import of_device
from kandji_simulator.simulation.world import World
from kandji_simulator.tables.device_details import filevault, recovery_information
from kandji_simulator.tables.enrollment import assigned
from kandji_simulator.world.hardware import APPLE
from kandji_simulator.world.records import Device
from kandji_simulator.world.rng import stable_hash

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def _drawn(world: World, device: Device, what: str, *groups: int) -> str:
    """Return groups of letters and digits, the same whenever they are asked for."""
    number = stable_hash(world.seed, what, device.id)
    text = "".join(_LETTERS[number >> 5 * place & 31] for place in range(sum(groups)))
    ends = [sum(groups[: place + 1]) for place in range(len(groups))]
    return "-".join(text[end - size : end] for size, end in zip(groups, ends, strict=True))


def _filevault_key(world: World, device: Device) -> str | None:
    escrowed = device.platform == "Mac" and filevault(world.tables, device)["filevault_prk_escrowed"]
    return _drawn(world, device, "filevault key", 4, 4, 4, 4, 4, 4) if escrowed else None


def _recovery_password(world: World, device: Device) -> str | None:
    locked = recovery_information(world.tables, device)["recovery_lock_enabled"]
    return _drawn(world, device, "recovery password", 5, 5, 4, 4, 4, 3) if locked else None


def _user_code(world: World, device: Device) -> str | None:
    """Return the code of a person's own lock; not every device reported one."""
    known = device.platform in APPLE and stable_hash("bypass", device.id) % 3 > 0
    return _drawn(world, device, "user bypass code", 5, 5, 4, 4, 4, 4) if known else None


def _device_code(world: World, device: Device) -> str | None:
    return _drawn(world, device, "device bypass code", 5, 5, 4, 4, 4, 4) if assigned(device) else None


Secrets = Mapping[str, Callable[["World", "Device"], str | None]]
_SECRETS: Mapping[str, Secrets] = {
    "filevaultkey": {"key": _filevault_key},
    "unlockpin": {"pin": lambda world, device: world.managed(device.id).pin},
    "recoverypassword": {"recovery_password": _recovery_password},
    "bypasscode": {"user_based_albc": _user_code, "device_based_albc": _device_code},
}
"""By the last part of the path: the members of the answer."""


def secret_routes(world: World) -> list[Route]:
    """Return one route a secret, each a permission of its own."""
    return [
        route("GET", f"/api/v1/devices/{{device_id}}/secrets/{name}", of_device(world, partial(_reveal, name, secrets)))
        for name, secrets in _SECRETS.items()
    ]


def _reveal(name: str, secrets: Secrets, world: World, device: Device, request: Request) -> Response:
    """Answer with the secret, and log it as an update: how the log calls a reading is not published."""
    world.count_up("secret")
    world.audit.add(world.moment, "update", ("device", device.id), "secrets", secret=name, name=device.name)
    return json_answer(200, {member: value(world, device) for member, value in secrets.items()})
