"""A fleet that changes while it is read: devices go and come between two requests, pages are short and in any order."""

import json
from collections.abc import Iterable
from random import Random
from typing import Any

from support import Rows

from kandji_schema.http import Request, Response, Send
from kandji_schema.registry import resource
from kandji_simulator import Tenant, World

PAGE = 20


def in_small_pages(tenant: Tenant, shuffled: Random | None = None) -> Send:
    """Answers as the tenant does, no page longer than a few rows, the rows of a page in any order."""

    def answer(request: Request) -> Response:
        query = tuple((name, str(PAGE) if name == "limit" else value) for name, value in request.query)
        response = tenant.handle(Request(request.method, request.path, query, request.headers, request.body))
        if shuffled is None or response.status != 200:
            return response
        body = json.loads(response.body)
        rows = body if isinstance(body, list) else body.get("data")
        if isinstance(rows, list):
            shuffled.shuffle(rows)
        return Response(200, response.headers, json.dumps(body).encode())

    return answer


def in_no_order(tenant: Tenant, chance: Random) -> Send:
    """Answers as the tenant does, in short pages of a list that is in another order at each request."""

    def answer(request: Request) -> Response:
        asked = dict(request.query)
        offset = int(asked.pop("offset", 0))
        query = tuple({**asked, "limit": "300"}.items()) if "limit" in asked else request.query
        response = tenant.handle(Request(request.method, request.path, query, request.headers, request.body))
        body = json.loads(response.body) if response.status == 200 and "limit" in asked else None
        rows = body if isinstance(body, list) else body.get("data") if isinstance(body, dict) else None
        if not isinstance(rows, list):
            return response
        chance.shuffle(rows)
        page = rows[offset : offset + PAGE]
        told = page if isinstance(body, list) else {**(body or {}), "data": page}
        return Response(200, response.headers, json.dumps(told).encode())

    return answer


def drifting(
    tenant: Tenant, chance: Random, *, removals: bool = True, inserts: bool, least: int = 20, most: int = 1_000
) -> None:
    """At every second request a device goes and another comes, as long as there are ``least`` to ``most``."""
    requests = 0

    def change(world: World) -> None:
        nonlocal requests
        requests += 1
        devices = world.device_ids()
        if requests % 2:
            return
        if removals and len(devices) > least:
            world.remove(chance.choice(devices))
        if inserts and len(devices) < most:
            world.enrol()

    tenant.between("", change)


def keys(table: str, rows: Rows) -> set[tuple[Any, ...]]:
    """The keys of rows as :func:`support.mirrored` and :func:`support.true_rows` give them."""
    shown = {"extra", "ordinal"} if resource(table).repeats else {"extra"}
    names = [column.name for column in resource(table).columns if column.name not in shown]
    places = [names.index(name) for name in resource(table).key if name in names]
    return {tuple(row[place] for place in places) for row in rows}


def keys_of_all(tables: Iterable[str], rows: Any) -> dict[str, set[tuple[Any, ...]]]:
    """The keys of every table; ``rows`` gives the rows of one."""
    return {table: keys(table, rows(table)) for table in tables}
