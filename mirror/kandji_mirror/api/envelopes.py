"""The provider's page envelopes: where the rows are, how many there are in all, where it goes on."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from kandji_mirror.api.answers import header
from kandji_mirror.api.wire import Response
from kandji_schema.resource import Paging, Resource

LAST: Mapping[str, str] = {}
"""Onward parameters of a page that says it is the last."""

_DIGITS = re.compile("[0-9]{1,15}")
_ONWARD = ("offset", "page", "cursor")


class NotThisEnvelope(Exception):
    """The JSON is not what the endpoint sends; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What an envelope holds.

    ``members`` are the rows, unchecked. ``onward`` are the query parameters of the next page, None where the envelope
    does not tell. ``around`` is what to put before and after the body's own text to get an object with the rows in
    ``data``.
    """

    members: list[Any]
    total: int | None
    onward: Mapping[str, str] | None
    around: tuple[str, str] | None = None


def open_envelope(value: Any, response: Response, resource: Resource) -> Opened:
    """The rows and the way on. :class:`NotThisEnvelope` where ``value`` is not what the resource's endpoint sends."""
    return _OPENERS[resource.paging](value, response, resource)


def _array(value: Any, response: Response, resource: Resource) -> Opened:
    if isinstance(value, list):
        return Opened(value, _whole(header(response, "x-total-count")), None, ('{"data":', "}"))
    fields = _object(value)
    if "results" in fields:
        return _counted(fields, response, resource)
    if not resource.known_fields & fields.keys():
        raise NotThisEnvelope(f"it is an object without any field of a row: {_named(fields)}")
    return Opened([fields], 1, LAST)


def _counted(value: Any, response: Response, resource: Resource) -> Opened:
    if isinstance(value, list):
        return _array(value, response, resource)
    fields = _object(value)
    return Opened(_list(fields, "results"), _whole(fields.get("count")), _linked(fields, _ONWARD))


def _cursored(value: Any, response: Response, resource: Resource) -> Opened:
    fields = _object(value)
    return Opened(_list(fields, "results"), None, _linked(fields, ("cursor",)))


def _prism(value: Any, response: Response, resource: Resource) -> Opened:
    fields = _object(value)
    members, total, cursor = _list(fields, "data"), _whole(fields.get("total")), fields.get("cursor")
    if not isinstance(cursor, str | int | None):
        raise NotThisEnvelope("its cursor is neither text nor null")
    if cursor not in (None, ""):
        return Opened(members, total, {"cursor": str(cursor)}, ("", ""))
    full = len(members) >= min(_whole(fields.get("limit")) or resource.page_size, resource.page_size)
    by_offset = full and total is not None and total > len(members)
    return Opened(members, total, None if by_offset else LAST, ("", ""))


_OPENERS: Mapping[Paging, Callable[[Any, Response, Resource], Opened]] = {
    Paging.ARRAY: _array,
    Paging.COUNT: _counted,
    Paging.CURSOR: _cursored,
    Paging.PRISM: _prism,
}


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise NotThisEnvelope(f"it is a JSON {type(value).__name__}")
    return value


def _list(fields: Mapping[str, Any], name: str) -> list[Any]:
    rows = fields.get(name)
    if not isinstance(rows, list):
        raise NotThisEnvelope(f"it has no list {name!r}: {_named(fields)}")
    return rows


def _named(fields: Mapping[str, Any]) -> str:
    return "its fields are " + (", ".join(repr(name[:40]) for name in list(fields)[:5]) or "none")


def _linked(fields: Mapping[str, Any], names: tuple[str, ...]) -> Mapping[str, str]:
    """What the ``next`` link asks for. Its host and path are never looked at: they name the web app."""
    link = fields.get("next") or ""
    if not link:
        return LAST
    query = dict(parse_qsl(link.partition("?")[2].partition("#")[0])) if isinstance(link, str) else {}
    onward = {name: query[name] for name in names if name in query}
    if not onward:
        raise NotThisEnvelope(f"its next link names no {' or '.join(names)}")
    return onward


def _whole(raw: Any) -> int | None:
    """A count in a header or a field; None for anything that is none."""
    if isinstance(raw, str):
        return int(raw) if _DIGITS.fullmatch(raw) else None
    return raw if isinstance(raw, int) and not isinstance(raw, bool) and raw >= 0 else None
