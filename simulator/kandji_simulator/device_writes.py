"""``PATCH`` and ``DELETE`` of a device, and the end of a lost mode that is stuck."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from kandji_schema.http import Request, Response
from kandji_simulator.action_checks import not_lost
from kandji_simulator.answers import NO_CONTENT, NOT_FOUND, json_answer
from kandji_simulator.bodies import Body, Key, a_text, read_body, refused, texts
from kandji_simulator.device_rows import device_row
from kandji_simulator.lost_mode import ENABLED, lost_mode_section
from kandji_simulator.route import Handler, Route, route

if TYPE_CHECKING:  # the world is what changes
    from kandji_simulator.records import Device
    from kandji_simulator.world import World

_KEYS = {
    "user": Key(a_text, nullable=True),
    "asset_tag": Key(a_text, nullable=True),
    "blueprint_id": Key(a_text),
    "tags": Key(texts),
}
_LOST_MODE_ACTIONS = frozenset({"enablelostmode", "disablelostmode", "playlostmodesound", "updatelocation"})


def device_routes(world: World) -> list[Route]:
    """Of one device and its lost mode."""
    one, lost = "/api/v1/devices/{device_id}", "/api/v1/devices/{device_id}/details/lostmode"
    return [
        route("PATCH", one, of_device(world, _change)),
        route("DELETE", one, of_device(world, _delete)),
        route("GET", lost, of_device(world, _lost_mode)),
        route("DELETE", lost, of_device(world, _cancel_lost_mode)),
    ]


def of_device(world: World, answer: Callable[[World, Device, Request], Response]) -> Handler:
    """What is asked of a device that has to exist."""

    def handle(request: Request, found: Mapping[str, str]) -> Response:
        device = world.devices.get(found["device_id"])
        return NOT_FOUND if device is None else answer(world, device, request)

    return handle


def _change(world: World, device: Device, request: Request) -> Response:
    """All or nothing; the answer shows what was cleared as "" where the list may say null or leave it out."""
    body = read_body(request, _KEYS)
    _check_known(world.users, body, "user")
    _check_known(world.blueprints, body, "blueprint_id")
    for name, value in body.items():
        _CHANGES[name](world, device, value)
    row = device_row(device)
    return json_answer(200, {**row, "user": row.get("user") or "", "asset_tag": row["asset_tag"] or ""})


def _check_known(known: Mapping[str, Any], body: Body, name: str) -> None:
    """The provider's words for an identifier it does not know are not published; those of its framework are."""
    identifier = body.get(name)
    if identifier is not None and identifier not in known:
        raise refused(400, {name: [f'Invalid pk "{identifier}" - object does not exist.']})


def _retag(world: World, device: Device, names: list[str]) -> None:
    """Exactly these; one that is new becomes a tag of the tenant, as the published example suggests."""
    for name in dict.fromkeys(names):
        if name not in world.tags:
            world.add_tag(name)
    world.set_tags(device.id, tuple(dict.fromkeys(names)))


_CHANGES: Mapping[str, Callable[[World, Device, Any], None]] = {
    "user": lambda world, device, user: world.assign_user(device.id, user),
    "asset_tag": lambda world, device, text: world.set_asset_tag(device.id, text or ""),
    "blueprint_id": lambda world, device, blueprint: world.assign_blueprint(device.id, blueprint),
    "tags": _retag,
}


def _delete(world: World, device: Device, request: Request) -> Response:
    world.remove(device.id)
    return NO_CONTENT


def _lost_mode(world: World, device: Device, request: Request) -> Response:
    if device.lost_mode != ENABLED:
        raise not_lost()
    section = lost_mode_section(device.lost_mode, world.managed(device.id).lost)
    return json_answer(200, {"device_id": device.id, "lost_mode": section})


def _cancel_lost_mode(world: World, device: Device, request: Request) -> Response:
    """Whatever of it is enabled or waits is forgotten."""
    waits = any(world.is_waiting(device.id, action) for action in _LOST_MODE_ACTIONS)
    if device.lost_mode != ENABLED and not waits:
        raise not_lost()
    world.cancel_commands(device.id, _LOST_MODE_ACTIONS)
    world.device(device.id).lost_mode = ""
    world.managed(device.id).lost = None
    world.audit.add(world.moment, "update", ("device", device.id), "lost_mode", lost_mode_status="")
    return json_answer(200, {"message": "Lost Mode cancellation request sent successfully"})
