"""Tags: ``POST /tags``, and ``PATCH`` and ``DELETE`` of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from kandji_schema.http import Request, Response
from kandji_simulator.answers import NO_CONTENT, NOT_FOUND, json_answer
from kandji_simulator.bodies import Key, a_filled_text, read_body, refused
from kandji_simulator.route import Handler, Route, route

if TYPE_CHECKING:  # the world is what changes
    from kandji_simulator.world import World

_KEYS = {"name": Key(a_filled_text, required=True)}


def tag_routes(world: World) -> list[Route]:
    """All but the list."""
    return [
        route("POST", "/api/v1/tags", lambda request, found: _create(world, request)),
        route("PATCH", "/api/v1/tags/{tag_id}", _of_tag(world, _rename)),
        route("DELETE", "/api/v1/tags/{tag_id}", _of_tag(world, _delete)),
    ]


def _of_tag(world: World, answer: Callable[[World, str, Request], Response]) -> Handler:
    """What is asked of a tag that has to exist; the world knows it by its name."""

    def handle(request: Request, found: Mapping[str, str]) -> Response:
        name = next((name for name, identifier in world.tags.items() if identifier == found["tag_id"]), None)
        return NOT_FOUND if name is None else answer(world, name, request)

    return handle


def _create(world: World, request: Request) -> Response:
    name = _free_name(world, request)
    return json_answer(201, {"id": world.add_tag(name), "name": name})


def _rename(world: World, name: str, request: Request) -> Response:
    other = _free_name(world, request, but=name)
    world.rename_tag(name, other)
    return json_answer(200, {"id": world.tags[other], "name": other})


def _delete(world: World, name: str, request: Request) -> Response:
    world.remove_tag(name)
    return NO_CONTENT


def _free_name(world: World, request: Request, but: str = "") -> str:
    name: str = read_body(request, _KEYS)["name"]
    if name != but and name in world.tags:
        raise refused(400, {"name": ["tag with this name already exists."]})  # wording not published
    return name
