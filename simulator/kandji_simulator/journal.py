"""What a simulated tenant was asked: every request in short, and writes in full."""

from typing import Any, NamedTuple

from kandji_schema.http import Request
from kandji_simulator.bodies import content_type, parsed


class Journal(NamedTuple):
    """One request as it was answered; ``status`` 0 where no answer went out."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    status: int


class Write(NamedTuple):
    """One request that is to change something.

    ``parsed`` is the body as JSON, None where it is none; ``time`` the tenant's clock in seconds, ``now`` the world's
    time; ``status`` what went out, 0 where nothing did; ``executed`` whether the tenant did it, whatever it answered.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    content_type: str
    body: bytes
    parsed: Any
    time: float
    now: str
    status: int
    executed: bool

    def told(self) -> dict[str, Any]:
        """As JSON; bytes that are no UTF-8 are escaped."""
        return {**self._asdict(), "body": self.body.decode("utf-8", "backslashreplace")}


_READS_BY_POST = "/api/v1/prism/export"


def is_write(request: Request) -> bool:
    """Whether it is to change something; an export is ordered by POST and changes nothing."""
    return request.method != "GET" and request.path != _READS_BY_POST


def written(request: Request, time: float, now: str, status: int, *, executed: bool) -> Write:
    """The request for the journal."""
    query = tuple(request.query)
    kind, body = content_type(request), parsed(request)
    return Write(request.method, request.path, query, kind, request.body, body, time, now, status, executed)
