"""What the tests of paging share: a table, a provider made of a function, and a whole walk through it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import SQLModel
from support import Unlimited

from kandji_mirror.api.client import Client
from kandji_mirror.api.paging import Page, walk
from kandji_schema.columns import extra, text
from kandji_schema.errors import ServerFault
from kandji_schema.http import Request, Response
from kandji_schema.resource import Paging, Resource

HOST = "https://acme.kandji.io/api/v1/things"  # the web app: not the host we ask


class PagedThing(SQLModel, table=True):
    """One row of the tests."""

    id: str | None = text("Key.", key=True)
    name: str | None = text("Name.")
    extra: Any = extra()


THINGS = Resource(
    model=PagedThing,
    path="/api/v1/things",
    paging=Paging.ARRAY,
    page_size=3,
    params={"ordering": "id"},
    ttl=timedelta(minutes=5),
    permission="Things: list",
    ignored=frozenset({"known_elsewhere"}),
)
COUNTED = replace(THINGS, paging=Paging.COUNT)
CURSORED = replace(THINGS, paging=Paging.CURSOR)
PRISM = replace(THINGS, paging=Paging.PRISM)

Provider = Callable[[Mapping[str, str]], Any]


class Walked:
    """A whole walk through ``provider``, a function from query parameters to a body, a response or an error."""

    def __init__(self, resource: Resource, provider: Provider, **options: Any) -> None:
        self.asked: list[dict[str, str]] = []
        self.pages: list[Page] = []
        self.paths: set[str] = set()
        self.client = Client(self._answer(provider), "token", Unlimited(), sleep=lambda _seconds: None)
        self._walk = walk(self.client, resource, **options)

    def _answer(self, provider: Provider) -> Callable[[Request], Response]:
        def send(request: Request) -> Response:
            self.paths.add(request.path)
            query = dict(request.query)
            self.asked.append(query)
            return as_response(provider(query))

        return send

    def all(self) -> "Walked":
        self.pages += self._walk
        return self

    @property
    def ids(self) -> list[str]:
        return [row["id"] for page in self.pages for row in page.rows]

    def asked_for(self, name: str) -> list[str | None]:
        """One parameter of every request; of requests side by side the order is chance."""
        return [query.get(name) for query in self.asked]


def as_response(answer: Any) -> Response:
    if isinstance(answer, Exception):
        raise answer
    return answer if isinstance(answer, Response) else Response(200, {}, json.dumps(answer).encode())


def things(first: int, last: int) -> list[dict[str, Any]]:
    return [{"id": f"{n:05}", "name": "x"} for n in range(first, last)]


def expected(total: int) -> list[str]:
    return [row["id"] for row in things(0, total)]


def documents(walked: Walked) -> list[dict[str, Any]]:
    return [row for page in walked.pages for row in json.loads(page.text)["data"]]


def fails(resource: Resource, provider: Provider) -> Walked:
    walked = Walked(resource, provider)
    with pytest.raises(ServerFault):
        walked.all()
    return walked


def page_of(resource: Resource, body: bytes) -> Page:
    (page,) = Walked(resource, lambda _query: Response(200, {}, body)).all().pages
    return page
