"""Writes other than device actions: ``PATCH`` and ``DELETE`` of a device, its lost mode, tags, and notes."""

from collections.abc import Callable, Mapping
from typing import Any

from kandji_schema.http import Request, Response
from kandji_simulator.api.actions import not_lost
from kandji_simulator.api.bodies import Body, Key, a_filled_text, a_text, read_body, refused, texts
from kandji_simulator.api.routing import NO_CONTENT, NOT_FOUND, Handler, Route, json_answer, route
from kandji_simulator.simulation.world import World
from kandji_simulator.tables.devices import device_row
from kandji_simulator.world.management import ENABLED, Note, lost_mode_section, note_row
from kandji_simulator.world.records import Device
from kandji_simulator.world.rng import stable_hash, uuid_from
from kandji_simulator.world.time import zulu

_DEVICE_KEYS = {
    "user": Key(a_text, nullable=True),
    "asset_tag": Key(a_text, nullable=True),
    "blueprint_id": Key(a_text),
    "tags": Key(texts),
}
_LOST_MODE_ACTIONS = frozenset({"enablelostmode", "disablelostmode", "playlostmodesound", "updatelocation"})


def device_routes(world: World) -> list[Route]:
    """Return the routes of one device and its lost mode."""
    one, lost = "/api/v1/devices/{device_id}", "/api/v1/devices/{device_id}/details/lostmode"
    return [
        route("PATCH", one, of_device(world, _change_device)),
        route("DELETE", one, of_device(world, _delete_device)),
        route("GET", lost, of_device(world, _lost_mode)),
        route("DELETE", lost, of_device(world, _cancel_lost_mode)),
    ]


def of_device(world: World, answer: Callable[[World, Device, Request], Response]) -> Handler:
    """Handle what is asked of a device that has to exist."""

    def handle(request: Request, found: Mapping[str, str]) -> Response:
        device = world.devices.get(found["device_id"])
        return NOT_FOUND if device is None else answer(world, device, request)

    return handle


def _change_device(world: World, device: Device, request: Request) -> Response:
    """Change all that is asked, or nothing; what was cleared is "" in the answer, where the list may say null."""
    body = read_body(request, _DEVICE_KEYS)
    _check_known(world.users, body, "user")
    _check_known(world.blueprints, body, "blueprint_id")
    for name, value in body.items():
        _CHANGES[name](world, device, value)
    row = device_row(device)
    return json_answer(200, {**row, "user": row.get("user") or "", "asset_tag": row["asset_tag"] or ""})


def _check_known(known: Mapping[str, Any], body: Body, name: str) -> None:
    """Refuse an identifier that is not known, in the words of the provider's framework: its own are not published."""
    identifier = body.get(name)
    if identifier is not None and identifier not in known:
        raise refused(400, {name: [f'Invalid pk "{identifier}" - object does not exist.']})


def _retag(world: World, device: Device, names: list[str]) -> None:
    """Give the device exactly these tags; a new one becomes a tag of the tenant, as the published example suggests."""
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


def _delete_device(world: World, device: Device, request: Request) -> Response:
    world.remove(device.id)
    return NO_CONTENT


def _lost_mode(world: World, device: Device, request: Request) -> Response:
    if device.lost_mode != ENABLED:
        raise not_lost()
    section = lost_mode_section(device.lost_mode, world.managed(device.id).lost)
    return json_answer(200, {"device_id": device.id, "lost_mode": section})


def _cancel_lost_mode(world: World, device: Device, request: Request) -> Response:
    """Forget whatever of lost mode is enabled or waits."""
    waits = any(world.is_waiting(device.id, action) for action in _LOST_MODE_ACTIONS)
    if device.lost_mode != ENABLED and not waits:
        raise not_lost()
    world.cancel_commands(device.id, _LOST_MODE_ACTIONS)
    world.device(device.id).lost_mode = ""
    world.managed(device.id).lost = None
    world.audit.add(world.moment, "update", ("device", device.id), "lost_mode", lost_mode_status="")
    return json_answer(200, {"message": "Lost Mode cancellation request sent successfully"})


_TAG_KEYS = {"name": Key(a_filled_text, required=True)}


def tag_routes(world: World) -> list[Route]:
    """Return the routes of all but the list."""
    return [
        route("POST", "/api/v1/tags", lambda request, found: _create_tag(world, request)),
        route("PATCH", "/api/v1/tags/{tag_id}", _of_tag(world, _rename_tag)),
        route("DELETE", "/api/v1/tags/{tag_id}", _of_tag(world, _delete_tag)),
    ]


def _of_tag(world: World, answer: Callable[[World, str, Request], Response]) -> Handler:
    """Handle what is asked of a tag that has to exist; the world knows it by its name."""

    def handle(request: Request, found: Mapping[str, str]) -> Response:
        name = next((name for name, identifier in world.tags.items() if identifier == found["tag_id"]), None)
        return NOT_FOUND if name is None else answer(world, name, request)

    return handle


def _create_tag(world: World, request: Request) -> Response:
    name = _free_name(world, request)
    return json_answer(201, {"id": world.add_tag(name), "name": name})


def _rename_tag(world: World, name: str, request: Request) -> Response:
    other = _free_name(world, request, but=name)
    world.rename_tag(name, other)
    return json_answer(200, {"id": world.tags[other], "name": other})


def _delete_tag(world: World, name: str, request: Request) -> Response:
    world.remove_tag(name)
    return NO_CONTENT


def _free_name(world: World, request: Request, but: str = "") -> str:
    name: str = read_body(request, _TAG_KEYS)["name"]
    if name != but and name in world.tags:
        raise refused(400, {"name": ["tag with this name already exists."]})  # wording not published
    return name


_NOTE_KEYS = {"content": Key(a_filled_text, required=True)}
_AUTHOR = "Robin Ashe"


def note_routes(world: World) -> list[Route]:
    """Return the routes of all but the list."""
    notes, one = "/api/v1/devices/{device_id}/notes", "/api/v1/devices/{device_id}/notes/{note_id}"
    return [
        route("POST", notes, of_device(world, _create_note)),
        route("GET", one, _of_note(world, lambda world, device, note, request: json_answer(200, note_row(note)))),
        route("PATCH", one, _of_note(world, _edit_note)),
        route("DELETE", one, _of_note(world, _delete_note)),
    ]


def _of_note(world: World, answer: Callable[[World, Device, Note, Request], Response]) -> Handler:
    """Handle what is asked of a note that has to exist."""

    def handle(request: Request, found: Mapping[str, str]) -> Response:
        device = world.devices.get(found["device_id"])
        note = world.managed(device.id).notes.get(found["note_id"]) if device else None
        return answer(world, device, note, request) if device and note else NOT_FOUND

    return handle


def _create_note(world: World, device: Device, request: Request) -> Response:
    content = read_body(request, _NOTE_KEYS)["content"]
    identifier = uuid_from(stable_hash(world.seed, "new note", world.count_up("note")))
    note = Note(identifier, world.moment, world.moment, _AUTHOR, content)
    world.managed(device.id).notes[identifier] = note
    _log_note(world, "create", device)
    return json_answer(201, note_row(note))


def _edit_note(world: World, device: Device, note: Note, request: Request) -> Response:
    note.content = read_body(request, _NOTE_KEYS)["content"]
    note.updated = world.moment
    _log_note(world, "update", device)
    return json_answer(200, note_row(note))


def _delete_note(world: World, device: Device, note: Note, request: Request) -> Response:
    del world.managed(device.id).notes[note.id]
    _log_note(world, "delete", device)
    return json_answer(200, {"note_id": note.id, "deleted_at": zulu(world.moment)})


def _log_note(world: World, action: str, device: Device) -> None:
    world.audit.add(world.moment, action, ("device", device.id), "notes", name=device.name)
