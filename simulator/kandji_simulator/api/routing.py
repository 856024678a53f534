"""A route of the API: requests of a method whose path fits a template."""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from kandji_schema.http import Request, Response

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
