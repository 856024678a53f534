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
    """``{name}`` in a template stands for one part of a path."""
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template)))


def route(method: str, template: str, answer: Handler) -> Route:
    """A route by its template."""
    return Route(method, path_pattern(template), answer)
