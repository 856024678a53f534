"""A client for the simulated tenant, as simple as the provider's idioms allow: it shares no code with ours."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from kandji_schema.http import Request, Response, Send
from kandji_schema.registry import resource
from kandji_schema.resource import Paging, Resource
from kandji_simulator import TOKEN, World

Page = dict[str, Any]


def get(send: Send, path: str, **query: object) -> Response:
    return get_as(send, f"Bearer {TOKEN}", path, **query)


def get_as(send: Send, authorization: str, path: str, **query: object) -> Response:
    return send(Request("GET", path, tuple((k, str(v)) for k, v in query.items()), {"Authorization": authorization}))


def get_json(send: Send, path: str, **query: object) -> Any:
    response = get(send, path, **query)
    assert response.status == 200, (path, query, response)
    return json.loads(response.body)


def walk(send: Send, path: str, paging: Paging, limit: int, **query: object) -> Iterator[dict[str, Any]]:
    """All rows of a list, page by page."""
    return _WALKS[paging](send, path, limit, query)


def walk_table(send: Send, world: World, name: str, limit: int) -> list[dict[str, Any]]:
    """All rows of a table, with what the path adds, as the truth has them."""
    table = world.resources.get(name) or resource(name)
    return [
        {**parent, **row}
        for parent in _parents(world, table)
        for row in _rows_of(send, table, table.path.format(**parent), limit)
    ]


def _rows_of(send: Send, table: Resource, path: str, limit: int) -> Iterator[dict[str, Any]]:
    if table.paging is not Paging.WHOLE:
        return walk(send, path, table.paging, limit)
    answer = get(send, path)
    if table.empty_answer and answer.status == 400:
        return iter(())  # the provider's way to say that there is nothing
    body = json.loads(answer.body)
    found = body[table.rows_at] if table.rows_at else body
    return iter(found if isinstance(found, list) else [found])


def _parents(world: World, table: Resource) -> list[dict[str, str]]:
    if table.parent is None:
        return [{}]
    rows = world.truth(table.parent)
    keys = [{ours: str(row[theirs]) for ours, theirs in table.parent_key.items()} for row in rows]
    return [key for number, key in enumerate(keys) if key not in keys[:number]]  # an item is in many blueprints


def _array(send: Send, path: str, limit: int, query: Page) -> Iterator[dict[str, Any]]:
    offset = 0
    while page := get_json(send, path, limit=limit, offset=offset, **query):
        yield from page
        offset += limit


def _count(send: Send, path: str, limit: int, query: Page) -> Iterator[dict[str, Any]]:
    page = _envelope(get_json(send, path, limit=limit, **query))
    yield from page["results"]
    while page["next"]:
        page = _envelope(get_json(send, path, **dict(parse_qsl(urlsplit(page["next"]).query))))
        yield from page["results"]


def _envelope(body: Page) -> Page:
    """The page of a list, which stands inside of a field where it belongs to one device."""
    return body if "results" in body else next(field for field in body.values() if isinstance(field, dict))


def _cursor(send: Send, path: str, limit: int, query: Page) -> Iterator[dict[str, Any]]:
    page = get_json(send, path, **query)
    yield from page["results"]
    while page["next"]:
        page = get_json(send, path, **dict(parse_qsl(urlsplit(page["next"]).query)))
        yield from page["results"]


def _prism(send: Send, path: str, limit: int, query: Page) -> Iterator[dict[str, Any]]:
    page = get_json(send, path, limit=limit, **query)
    yield from page["data"]
    while page.get("cursor"):
        page = get_json(send, path, limit=limit, cursor=page["cursor"], **query)
        yield from page["data"]


def _page(send: Send, path: str, limit: int, query: Page) -> Iterator[dict[str, Any]]:
    number = 1
    while rows := get_json(send, path, size=limit, page=number, **query)["results"]:
        yield from rows
        number += 1


def _after(send: Send, path: str, limit: int, query: Page) -> Iterator[dict[str, Any]]:
    page = get_json(send, path, size=limit, **query)
    yield from page["results"]
    while page["next"]:
        page = get_json(send, path, **dict(parse_qsl(urlsplit(page["next"]).query)))
        yield from page["results"]


def _offset(send: Send, path: str, limit: int, query: Page) -> Iterator[dict[str, Any]]:
    offset = 0
    while rows := get_json(send, path, limit=limit, offset=offset, **query)["results"]:
        yield from rows
        offset += len(rows)


_WALKS = {
    Paging.ARRAY: _array,
    Paging.COUNT: _count,
    Paging.CURSOR: _cursor,
    Paging.PRISM: _prism,
    Paging.PAGE: _page,
    Paging.AFTER: _after,
    Paging.OFFSET: _offset,
}


def ask(send: Send, method: str, path: str, body: object = None, **headers: str) -> Response:
    """One request below ``/api/v1``; ``body`` is sent as JSON, bytes as they are."""
    sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    known = {"Authorization": f"Bearer {TOKEN}"} | ({"Content-Type": "application/json"} if sent else {})
    return send(Request(method, f"/api/v1{path}", (), known | headers, sent))


def said(response: Response) -> tuple[int, Any]:
    """Status and decoded body, None for an empty one."""
    return response.status, json.loads(response.body) if response.body else None
