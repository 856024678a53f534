"""How many rows the provider says a Prism category has."""

from typing import NamedTuple

from kandji_mirror.api.bodies import parse
from kandji_mirror.api.client import Client
from kandji_mirror.api.envelopes import whole
from kandji_schema.errors import Rejected, ServerFault, Skip
from kandji_schema.http import Response
from kandji_schema.resource import Resource

PATH = "/api/v1/prism/count"


class Count(NamedTuple):
    """Rows of a whole category. An ``approximate`` count is not to be compared for equality."""

    rows: int
    approximate: bool


def count(client: Client, resource: Resource) -> Count | None:
    """The provider's count of a Prism table; None where there is none: not permitted, not offered, or null.

    Costs one request. An answer that is no count is asked for again like any page, and is :class:`ServerFault` where it
    stays so. :class:`RateLimited` and :class:`Unreachable` are raised: no other request would fare better.
    """
    try:
        return client.read(PATH, (("category", resource.category or ""),), _read)
    except (Skip, Rejected):
        return None


def _read(response: Response) -> Count | None:
    try:
        answer = parse(response.body).value
    except ValueError:
        raise _no_count(response, "it is not JSON") from None
    if not isinstance(answer, dict) or "count" not in answer:
        raise _no_count(response, "it has no member 'count'")
    if answer["count"] is None:
        return None
    rows = whole(answer["count"])
    if rows is None:
        raise _no_count(response, f"{str(answer['count'])[:40]!r} is no number of rows")
    return Count(rows, bool(answer.get("approximate")))


def _no_count(response: Response, reason: str) -> ServerFault:
    text = f"GET {PATH} answered {response.status}, but not with a count: {reason}."
    return ServerFault(text, status=response.status)
