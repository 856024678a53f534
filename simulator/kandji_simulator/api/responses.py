"""Answers the provider gives apart from data: the bodies of its errors, and how an answer travels."""

import json
from enum import Enum
from typing import Any

from kandji_schema.http import Response

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
