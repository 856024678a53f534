"""Notes on a device: ``/devices/{device_id}/notes``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from kandji_schema.http import Request, Response
from kandji_simulator.answers import NOT_FOUND, json_answer
from kandji_simulator.bodies import Key, a_filled_text, read_body
from kandji_simulator.chance import lot, uuid_from
from kandji_simulator.device_writes import of_device
from kandji_simulator.managed import Note
from kandji_simulator.moments import zulu
from kandji_simulator.route import Handler, Route, route

if TYPE_CHECKING:  # the world is what changes
    from kandji_simulator.records import Device
    from kandji_simulator.world import World

_KEYS = {"content": Key(a_filled_text, required=True)}
_AUTHOR = "Robin Ashe"


def note_routes(world: World) -> list[Route]:
    """All but the list."""
    notes, one = "/api/v1/devices/{device_id}/notes", "/api/v1/devices/{device_id}/notes/{note_id}"
    return [
        route("POST", notes, of_device(world, _create)),
        route("GET", one, _of_note(world, lambda world, device, note, request: json_answer(200, note_row(note)))),
        route("PATCH", one, _of_note(world, _edit)),
        route("DELETE", one, _of_note(world, _delete)),
    ]


def note_row(note: Note) -> dict[str, Any]:
    """As the provider sends it."""
    return {
        "note_id": note.id,
        "created_at": zulu(note.created),
        "updated_at": zulu(note.updated),
        "author": note.author,
        "content": note.content,
    }


def _of_note(world: World, answer: Callable[[World, Device, Note, Request], Response]) -> Handler:
    """What is asked of a note that has to exist."""

    def handle(request: Request, found: Mapping[str, str]) -> Response:
        device = world.devices.get(found["device_id"])
        note = world.managed(device.id).notes.get(found["note_id"]) if device else None
        return answer(world, device, note, request) if device and note else NOT_FOUND

    return handle


def _create(world: World, device: Device, request: Request) -> Response:
    content = read_body(request, _KEYS)["content"]
    identifier = uuid_from(lot(world.seed, "new note", world.count_up("note")))
    note = Note(identifier, world.moment, world.moment, _AUTHOR, content)
    world.managed(device.id).notes[identifier] = note
    _log(world, "create", device)
    return json_answer(201, note_row(note))


def _edit(world: World, device: Device, note: Note, request: Request) -> Response:
    note.content = read_body(request, _KEYS)["content"]
    note.updated = world.moment
    _log(world, "update", device)
    return json_answer(200, note_row(note))


def _delete(world: World, device: Device, note: Note, request: Request) -> Response:
    del world.managed(device.id).notes[note.id]
    _log(world, "delete", device)
    return json_answer(200, {"note_id": note.id, "deleted_at": zulu(world.moment)})


def _log(world: World, action: str, device: Device) -> None:
    world.audit.add(world.moment, action, ("device", device.id), "notes", name=device.name)
