"""Routes of the API, what the token may ask of them, and the answers the provider gives apart from data."""

import json
import re
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, NamedTuple

from kandji_schema.http import Request, Response

JSON = {"content-type": "application/json"}
HTML = {"content-type": "text/html; charset=utf-8"}


class Transport(Enum):
    """What becomes of an answer on its way; in process, ``RESET``, ``TORN`` and ``HANGING`` raise ``Unreachable``."""

    WHOLE = "arrives"
    RESET = "connection reset before the first byte"
    TORN = "connection closed in the middle of the body"
    SLOW = "body arrives in drips"
    HANGING = "not one byte arrives"


def json_answer(status: int, body: Any) -> Response:
    """Answer with a JSON body."""
    return Response(status, JSON, json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())


def page_answer(status: int, title: str) -> Response:
    """Answer with the page of a web server or proxy."""
    text = (
        f'\n<!doctype html><html lang="en"><head><title>{title}</title></head>'
        f"<body><h1>{title}</h1><p>The request could not be served.</p></body></html>"
    )
    return Response(status, HTML, text.encode())


EMPTY = Response(200)
NO_CONTENT = Response(204)
UNAUTHORIZED = json_answer(401, {"error": "Unauthorized"})
FORBIDDEN = json_answer(403, {"detail": "You do not have permission to perform this action."})
NOT_FOUND = json_answer(404, {"detail": "Not found."})
NOT_FOUND_PAGE = page_answer(404, "Not Found")
NO_ROUTE = json_answer(
    404, {"message": "no Route matched with those values", "request_id": "5f4d1c0e9b8a7f6e5d4c3b2a19080706"}
)
LIMITED = json_answer(429, {"message": "API rate limit exceeded"})


Handler = Callable[[Request, Mapping[str, str]], Response]


class Route(NamedTuple):
    """Requests of the method whose path matches get ``answer(request, names in the path)``."""

    method: str
    pattern: re.Pattern[str]
    answer: Handler


def path_pattern(template: str) -> re.Pattern[str]:
    """Return the pattern of a template, in which ``{name}`` stands for one part of a path."""
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template)))


def route(method: str, template: str, answer: Handler) -> Route:
    """Make a route by its template."""
    return Route(method, path_pattern(template), answer)


class Permissions:
    """Everything is allowed that was not forbidden."""

    def __init__(self) -> None:
        self._areas: dict[str, re.Pattern[str]] = {}
        self._endpoints: dict[tuple[str, str], re.Pattern[str]] = {}

    def forbid(self, path: str, method: str = "") -> None:
        """Forbid one endpoint, in whose path ``{device_id}`` stands for any; without a method, all that begins so."""
        if method:
            self._endpoints[method, path] = path_pattern(path)
        else:
            self._areas[path] = path_pattern(path)

    def allow(self, path: str, method: str = "") -> None:
        """Take :meth:`forbid` back."""
        if method:
            self._endpoints.pop((method, path), None)
        else:
            self._areas.pop(path, None)

    def refuses(self, method: str, path: str) -> bool:
        """Tell whether the token may not."""
        endpoints = (pattern for (known, _), pattern in self._endpoints.items() if known == method)
        return any(area.match(path) for area in self._areas.values()) or any(e.fullmatch(path) for e in endpoints)
