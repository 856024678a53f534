"""Lists of one device that are asked for live: MDM commands, activity and notes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from kandji_mirror.api.wire import Request, Response
from kandji_mirror.simulator.answers import NOT_FOUND, json_answer
from kandji_mirror.simulator.listings import DeviceRows, Listing
from kandji_mirror.simulator.managed import command_row
from kandji_mirror.simulator.notes import note_row
from kandji_mirror.simulator.pages import IDIOMS, PAGE, Asked, counted
from kandji_mirror.simulator.route import Handler, Route, route
from kandji_schema.resource import Paging

if TYPE_CHECKING:  # the world is what is listed
    from kandji_mirror.simulator.records import Device
    from kandji_mirror.simulator.world import World

Ask = Callable[[Request, int], Asked]


def list_routes(world: World, ask: Ask) -> list[Route]:
    """``ask`` reads the page a request is for."""
    one = "/api/v1/devices/{device_id}"
    return [
        route("GET", f"{one}/commands", _within("commands", DeviceRows(world, _commands), ask)),
        route("GET", f"{one}/activity", _within("activity", DeviceRows(world, _activity), ask)),
        route("GET", f"{one}/notes", _bare(DeviceRows(world, _notes), ask)),
    ]


def _commands(world: World, device: Device) -> list[dict[str, Any]]:
    return [command_row(command) for command in world.managed(device.id).commands]


def _activity(world: World, device: Device) -> list[dict[str, Any]]:
    return world.managed(device.id).activity


def _notes(world: World, device: Device) -> list[dict[str, Any]]:
    return [note_row(note) for note in world.managed(device.id).notes.values()]


def _within(name: str, listing: Listing, ask: Ask) -> Handler:
    """The page is a member of an object that names the device."""

    def answer(request: Request, found: Mapping[str, str]) -> Response:
        asked = ask(request, PAGE)
        records = listing.records(asked.query, found)
        return NOT_FOUND if records is None else json_answer(200, {**found, name: counted(listing, records, asked)})

    return answer


def _bare(listing: Listing, ask: Ask) -> Handler:
    def answer(request: Request, found: Mapping[str, str]) -> Response:
        asked = ask(request, PAGE)
        records = listing.records(asked.query, found)
        return NOT_FOUND if records is None else IDIOMS[Paging.ARRAY](listing, records, asked)

    return answer
