"""Faults a test or a demonstration can switch on: what goes wrong, where and how often."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from kandji_mirror.api.wire import Response
from kandji_mirror.simulator.answers import (
    FORBIDDEN,
    HTML,
    LIMITED,
    NOT_FOUND,
    NOT_FOUND_PAGE,
    UNAUTHORIZED,
    Transport,
    json_answer,
    page_answer,
)
from kandji_mirror.simulator.limits import RetryAfter, retry_after


class Kind(Enum):
    """What goes wrong."""

    SERVER_ERROR = auto()
    BAD_GATEWAY = auto()
    UNAVAILABLE = auto()
    GATEWAY_TIMEOUT = auto()
    HTML_PAGE = auto()
    TRUNCATED_JSON = auto()
    EMPTY_BODY = auto()
    RATE_LIMITED = auto()
    RATE_LIMITED_UNTIL = auto()
    RATE_LIMITED_BARE = auto()
    UNAUTHORIZED = auto()
    FORBIDDEN = auto()
    NOT_FOUND = auto()
    NOT_FOUND_PAGE = auto()
    BAD_REQUEST = auto()
    DELAY = auto()
    RESET = auto()
    TORN = auto()
    SLOW = auto()


@dataclass
class Fault:
    """Goes wrong for ``times`` requests whose ``path?query`` matches, the first ``after`` of them excepted.

    ``pattern`` is a regular expression, searched for; ``seconds`` is the delay, or what ``Retry-After`` says.
    """

    pattern: str
    kind: Kind
    times: int = 1
    after: int = 0
    seconds: float = 1.0
    _seen: int = field(default=0, repr=False)

    def strikes(self, target: str) -> bool:
        """Whether this request is hit; counts it."""
        if not re.search(self.pattern, target):
            return False
        self._seen += 1
        return self.after < self._seen <= self.after + self.times

    @property
    def transport(self) -> Transport:
        """What becomes of the answer on its way."""
        return _TRANSPORTS.get(self.kind, Transport.WHOLE)

    def spoil(self, answer: Callable[[], Response], now: float) -> Response:
        """The answer the client gets instead of ``answer()``."""
        if self.kind in _INSTEAD:
            return _INSTEAD[self.kind]
        if self.kind in _LIMITED:
            headers = {**LIMITED.headers, **retry_after(_LIMITED[self.kind], self.seconds, now)}
            return replace(LIMITED, headers=headers)
        good = answer()
        return replace(good, body=_BODIES.get(self.kind, bytes)(good.body))


_TRANSPORTS = {Kind.RESET: Transport.RESET, Kind.TORN: Transport.TORN, Kind.SLOW: Transport.SLOW}
_LIMITED = {
    Kind.RATE_LIMITED: RetryAfter.SECONDS,
    Kind.RATE_LIMITED_UNTIL: RetryAfter.DATE,
    Kind.RATE_LIMITED_BARE: RetryAfter.ABSENT,
}
_INSTEAD: Mapping[Kind, Response] = {
    Kind.SERVER_ERROR: page_answer(500, "Server Error (500)"),
    Kind.BAD_GATEWAY: page_answer(502, "502 Bad Gateway"),
    Kind.UNAVAILABLE: page_answer(503, "503 Service Unavailable"),
    Kind.GATEWAY_TIMEOUT: page_answer(504, "504 Gateway Time-out"),
    Kind.HTML_PAGE: page_answer(200, "Welcome to the guest network"),
    Kind.EMPTY_BODY: Response(200, HTML, b""),
    Kind.UNAUTHORIZED: UNAUTHORIZED,
    Kind.FORBIDDEN: FORBIDDEN,
    Kind.NOT_FOUND: NOT_FOUND,
    Kind.NOT_FOUND_PAGE: NOT_FOUND_PAGE,
    Kind.BAD_REQUEST: json_answer(400, {"error": "Bad Request"}),
}
_BODIES: Mapping[Kind, Callable[[bytes], bytes]] = {Kind.TRUNCATED_JSON: lambda body: body[: len(body) // 2]}
