"""How many rows the provider says a Prism category has."""

from typing import NamedTuple

from kandji_mirror.api.bodies import parse
from kandji_mirror.api.client import Client
from kandji_mirror.api.envelopes import whole
from kandji_mirror.api.wire import Response
from kandji_schema.errors import Rejected, ServerFault, Skip
from kandji_schema.resource import Resource

PATH = "/api/v1/prism/count"


class Count(NamedTuple):
    """Rows of a whole category. An ``approximate`` count is not to be compared for equality."""

    rows: int
    approximate: bool


def count(client: Client, resource: Resource) -> Count | None:
    """The provider's count of a Prism table; None where it cannot be had: not permitted, not offered, or nonsense.

    Costs one request. :class:`RateLimited` and :class:`Unreachable` are raised: no other request would fare better.
    """
    try:
        return _read(client.get(PATH, (("category", resource.category or ""),)))
    except (Skip, Rejected, ServerFault):
        return None


def _read(response: Response) -> Count | None:
    try:
        answer = parse(response.body).value
    except ValueError:
        return None
    rows = whole(answer.get("count")) if isinstance(answer, dict) else None
    return None if rows is None else Count(rows, bool(answer.get("approximate")))
