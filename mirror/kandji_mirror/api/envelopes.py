"""The provider's page envelopes: where the rows are, how many there are in all, where it goes on."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from kandji_mirror.api.responses import header
from kandji_schema.http import Response
from kandji_schema.provider import PAGE_ROWS
from kandji_schema.resource import Paging, Resource

LAST: Mapping[str, str] = {}
"""Onward parameters of a page that says it is the last."""

_DIGITS = re.compile("[0-9]{1,15}")
_TOKENS = ("cursor", "after")  # opaque, while offset and page are numbers
_AROUND_A_LIST = ('{"data":', "}")


class NotThisEnvelope(Exception):
    """The JSON is not what the endpoint sends; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What an envelope holds.

    ``members`` are the rows, unchecked. ``onward`` are the query parameters of the next page, None where the envelope
    does not tell: then there is more unless ``total`` rows were seen. ``around`` is what to put before and after the
    body's own text to get an object with the rows in ``data``.
    """

    members: list[Any]
    total: int | None
    onward: Mapping[str, str] | None
    around: tuple[str, str] | None = None


def open_envelope(value: Any, response: Response, resource: Resource) -> Opened:
    """Find the rows and the way on; :class:`NotThisEnvelope` where ``value`` is not what the endpoint sends."""
    opener = _OPENERS[resource.paging]
    if not resource.rows_at or isinstance(value, list):
        return opener(value, response, resource)
    fields = _object(value)
    if resource.rows_at not in fields:
        raise NotThisEnvelope(f"it has no member {resource.rows_at!r}: {_named(fields)}")
    if fields[resource.rows_at] == {} and resource.paging is Paging.WHOLE and _of_one_row(resource):
        return Opened([], 0, LAST)
    opened = opener(fields[resource.rows_at], response, resource)
    return Opened(opened.members, opened.total, opened.onward)


def whole(raw: Any) -> int | None:
    """Read a count in a header or a field; None for anything that is none."""
    if isinstance(raw, str):
        return int(raw) if _DIGITS.fullmatch(raw) else None
    return raw if isinstance(raw, int) and not isinstance(raw, bool) and raw >= 0 else None


def _array(value: Any, response: Response, resource: Resource) -> Opened:
    if isinstance(value, list):
        total = whole(header(response, "x-total-count"))
        return Opened(value, total, _after_array(len(value), total, resource.page_size), _AROUND_A_LIST)
    fields = _object(value)
    return _counted(fields, response, resource) if "results" in fields else _single(fields, resource)


def _after_array(rows: int, total: int | None, asked: int) -> Mapping[str, str] | None:
    """Tell the last page: an empty one, one larger than asked for (the whole set), and a short one without a total."""
    total_tells = total is not None and total >= rows
    return LAST if not rows or rows > asked or (rows < asked and not total_tells) else None


def _whole_set(value: Any, response: Response, resource: Resource) -> Opened:
    if isinstance(value, list) and (len(value) == 1 or not _of_one_row(resource)):
        return Opened(value, None, LAST, _AROUND_A_LIST)  # its headers contradict it in published answers
    fields = _object(value)
    envelope = "results" in fields and "results" not in resource.known_fields
    return _counted(fields, response, resource) if envelope else _single(fields, resource)


def _of_one_row(resource: Resource) -> bool:
    """Tell whether an answer is always one row, so that an empty list cannot mean "no rows"."""
    return set(resource.key) <= set(resource.parent_key)


def _single(fields: Mapping[str, Any], resource: Resource) -> Opened:
    if not resource.known_fields & fields.keys():
        raise NotThisEnvelope(f"it is an object without any field of a row: {_named(fields)}")
    return Opened([fields], 1, LAST)


def _counted(value: Any, response: Response, resource: Resource) -> Opened:
    if isinstance(value, list):
        return _array(value, response, resource)
    fields = _object(value)
    members, total = _list(fields, "results"), _first_whole(fields, "count", "total_count")
    onward = _linked(fields, "offset", "page", "cursor") or _unlinked(fields, members, total, resource)
    return Opened(members, total, onward)


def _by_offset(value: Any, response: Response, resource: Resource) -> Opened:
    opened = _counted(_with_results(value), response, resource)
    return opened if opened.members else Opened([], opened.total, LAST, opened.around)


def _with_results(value: Any) -> Any:
    """Find the rows of the newer threat endpoints, which are not published: in ``data``, at once or further in."""
    if not isinstance(value, dict) or "results" in value or "data" not in value:
        return value
    data = value["data"]
    return data if isinstance(data, dict) else {**value, "results": data}


def _numbered(value: Any, response: Response, resource: Resource) -> Opened:
    fields = _object(value)
    members, total = _list(fields, "results"), whole(fields.get("total"))
    number = _query(fields).get("page", "")
    linked = {"page": number} if _DIGITS.fullmatch(number) and members else LAST
    return Opened(members, total, linked or _unlinked(fields, members, total, resource))


def _cursored(value: Any, response: Response, resource: Resource) -> Opened:
    fields = _object(value)
    return Opened(_list(fields, "results"), None, _linked(fields, "cursor"))


def _after(value: Any, response: Response, resource: Resource) -> Opened:
    fields = _object(value)
    return Opened(_list(fields, "results"), None, _linked(fields, "after"))


def _prism(value: Any, response: Response, resource: Resource) -> Opened:
    fields = _object(value)
    members, total, cursor = _list(fields, "data"), whole(fields.get("total")), fields.get("cursor")
    if not isinstance(cursor, str | int | None):
        raise NotThisEnvelope("its cursor is neither text nor null")
    if cursor not in (None, ""):
        return Opened(members, total, {"cursor": str(cursor)}, ("", ""))
    by_offset = _full(fields, members, resource) and total is not None and total > len(members)
    return Opened(members, total, None if by_offset else LAST, ("", ""))


_OPENERS: Mapping[Paging, Callable[[Any, Response, Resource], Opened]] = {
    Paging.ARRAY: _array,
    Paging.COUNT: _counted,
    Paging.CURSOR: _cursored,
    Paging.PRISM: _prism,
    Paging.PAGE: _numbered,
    Paging.AFTER: _after,
    Paging.OFFSET: _by_offset,
    Paging.WHOLE: _whole_set,
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


def _first_whole(fields: Mapping[str, Any], *names: str) -> int | None:
    return next((count for name in names if (count := whole(fields.get(name))) is not None), None)


def _full(fields: Mapping[str, Any], members: list[Any], resource: Resource) -> bool:
    """Tell whether the page holds as many rows as were asked for, or as the answer itself calls a page."""
    sizes = [resource.page_size or PAGE_ROWS, whole(fields.get("limit")), whole(fields.get("size"))]
    return len(members) >= min(filter(None, sizes))


def _unlinked(
    fields: Mapping[str, Any], members: list[Any], total: int | None, resource: Resource
) -> Mapping[str, str] | None:
    """Return the way on from a page without a link: a short one is the last, unless only its total could tell."""
    only_total_tells = total is not None and "next" not in fields
    return None if members and (_full(fields, members, resource) or only_total_tells) else LAST


def _linked(fields: Mapping[str, Any], *names: str) -> Mapping[str, str]:
    """Return what the ``next`` link asks for."""
    link = fields.get("next") or ""
    if not link:
        return LAST
    query = _query(fields).items()
    onward = {name: value for name, value in query if name in names and (name in _TOKENS or _DIGITS.fullmatch(value))}
    if not onward:
        raise NotThisEnvelope(f"its next link names no {' or '.join(names)}")
    return onward


def _query(fields: Mapping[str, Any]) -> Mapping[str, str]:
    """Read the parameters of the ``next`` link. Its host and path are never looked at: they name the web app."""
    link = fields.get("next")
    return dict(parse_qsl(link.partition("?")[2].partition("#")[0])) if isinstance(link, str) else {}
