"""``POST /devices/{device_id}/action/{action}``: what all device actions have in common."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from kandji_schema.http import Request, Response
from kandji_simulator.actions import ACTIONS, Action
from kandji_simulator.answers import NOT_FOUND
from kandji_simulator.bodies import Body, read_body, refused
from kandji_simulator.route import Route, route

if TYPE_CHECKING:  # the world is what changes
    from kandji_simulator.records import Device
    from kandji_simulator.world import World


def action_routes(world: World) -> list[Route]:
    """One route an action."""
    return [
        route("POST", f"/api/v1/devices/{{device_id}}/action/{name}", partial(_act, world, name, action))
        for name, action in ACTIONS.items()
    ]


def _act(world: World, name: str, action: Action, request: Request, found: Mapping[str, str]) -> Response:
    device = world.devices.get(found["device_id"])
    if device is None:
        return NOT_FOUND
    body = read_body(request, action.keys)
    _check(world, device, name, action, body)
    if action.command:
        effect = partial(action.effect, world, device, body)
        kind = action.kind(body)
        world.queue_command(device, name, kind, action.request or kind, action.metadata(body), effect)
    return action.answer(world, device, body)


def _check(world: World, device: Device, name: str, action: Action, body: Body) -> None:
    if device.platform not in action.platforms:
        raise refused(400, "Command is not allowed for current device")
    action.check(world, device, body)
    if world.is_waiting(device.id, name):
        raise refused(400, "Command already running")
