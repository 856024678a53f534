"""One page: rows checked, unknown fields set apart, and the JSON text the ingest reads."""

from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from kandji_mirror.api.bodies import TooDeep, dump, has_long_numbers, may_be_deep, parse, parse_leniently, too_deep
from kandji_mirror.api.envelopes import LAST, NotThisEnvelope, open_envelope
from kandji_schema.errors import ServerFault, Unreadable
from kandji_schema.http import Response
from kandji_schema.resource import Resource

Row = dict[str, Any]

LARGE = 2 * 1024 * 1024
"""Pages of more bytes are taken apart one at a time: that takes many times their size, and no longer than at once."""

_ALONE = Lock()


@dataclass(frozen=True, slots=True)
class Page:
    """One page of rows, in the provider's order.

    ``text`` is a JSON object whose member ``data`` is the list of rows; where a row has unknown fields that are not
    null, or objects and lists where a value should be, it has them there, in a member ``extra``. ``rows`` are the same
    rows as they came. ``total`` is what the provider says there are on all pages, None where it does not: a hint.
    ``odd_rows`` counts members of the list that were no objects, or nested beyond reason, and are left out; ``unknown``
    counts the rows that carry each unknown field, ``absent`` are the known ones that no row carries, none where there
    are no rows. ``onward`` are the query parameters of the next page: empty on the last one, None where the page does
    not tell.
    """

    rows: list[Row]
    text: str
    total: int | None = None
    odd_rows: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    onward: Mapping[str, str] | None = field(default_factory=lambda: LAST)
    absent: frozenset[str] = frozenset()

    @property
    def members(self) -> int:
        """How far the page moves an offset."""
        return len(self.rows) + self.odd_rows


def read_page(response: Response, resource: Resource) -> Page:
    """The page in a 200 answer. :class:`ServerFault` where it is none: an error page must never read as "no rows"."""
    with _ALONE if len(response.body) > LARGE else nullcontext():
        return _read(response, resource)


def _read(response: Response, resource: Resource) -> Page:
    try:
        value, strict = parse(response.body)
        opened = open_envelope(value, response, resource)
    except TooDeep as error:
        raise _no_page(response, resource, f"it is {error}", kind=Unreadable) from None
    except ValueError as error:
        raise _no_page(response, resource, f"it is not JSON: {str(error)[:80]}") from None
    except NotThisEnvelope as error:
        raise _no_page(response, resource, str(error)) from None
    rows = _objects(opened.members, response.body)
    if opened.members and not rows:
        raise _no_page(response, resource, f"none of its {len(opened.members)} rows is an object that can be read")
    odd, unknown = len(opened.members) - len(rows), _unknown_fields(rows, resource.known_fields)
    if strict and opened.around and not odd and not unknown and not any(map(resource.misshapen, rows)):
        before, after = opened.around
        text = f"{before}{response.body.decode()}{after}"
    else:
        rows = _in_full(rows, response, resource)
        text = dump({"data": [_with_extra(row, resource) for row in rows]})
    return Page(rows, text, opened.total, odd, unknown, opened.onward, _absent_fields(rows, resource.known_fields))


def _in_full(rows: list[Row], response: Response, resource: Resource) -> list[Row]:
    """The rows with every digit of their numbers, since the body's own text is not handed on."""
    if not has_long_numbers(response.body):
        return rows
    return _objects(open_envelope(parse_leniently(response.body), response, resource).members, response.body)


def _objects(members: list[Any], body: bytes) -> list[Row]:
    """The rows among the members of a list out of ``body``."""
    rows = [member for member in members if type(member) is dict]
    return [row for row in rows if not too_deep(row)] if may_be_deep(body) else rows


def _unknown_fields(rows: list[Row], known: frozenset[str]) -> Counter[str]:
    """How many rows carry each unknown field with a value; fast where, as nearly always, there is none."""
    strange = [row for row in rows if not known.issuperset(row)]
    return Counter(name for row in strange for name in _extra(row, known))


def _absent_fields(rows: list[Row], known: frozenset[str]) -> frozenset[str]:
    """Known fields without a trace in any row: of those the first row lacks, which are few, the others are asked."""
    candidates = known.difference(rows[0]) if rows else ()
    return frozenset(name for name in candidates if not any(name in row for row in rows))


def _extra(row: Row, known: Collection[str]) -> Row:
    return {name: value for name, value in row.items() if name not in known and value is not None}


def _with_extra(row: Row, resource: Resource) -> Row:
    known, misshapen = resource.known_fields, resource.misshapen(row)
    if not misshapen and known.issuperset(row):
        return row
    extra = _extra(row, known) | {name: row[name] for name in misshapen}
    return row | dict.fromkeys(misshapen) | ({"extra": extra} if extra else {})


def _no_page(
    response: Response, resource: Resource, reason: str, *, kind: type[ServerFault] = ServerFault
) -> ServerFault:
    return kind(
        f"GET {resource.path} answered {response.status}, but not with {resource.name}: {reason}.",
        status=response.status,
    )
