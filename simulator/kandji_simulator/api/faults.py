"""Faults a test or a demonstration can switch on: what goes wrong, where and how often."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from typing import Any

from kandji_schema.http import Response
from kandji_simulator.api.drift import CHANGES
from kandji_simulator.api.rate_limit import RetryAfter, retry_after
from kandji_simulator.api.routing import (
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
from kandji_simulator.world.rng import stable_hash

_PARTS = 1_000_000
ELSEWHERE = "elsewhere.example.net"
"""The foreign host that redirects and links lead to."""


class FaultKind(Enum):
    """What goes wrong; the value says it in a line."""

    SERVER_ERROR = "500 with a page of HTML"
    BAD_GATEWAY = "502 with a page of HTML"
    UNAVAILABLE = "503 with a page of HTML"
    GATEWAY_TIMEOUT = "504 with a page of HTML"
    HTML_PAGE = "200 with a page of HTML, as a captive portal sends it"
    TRUNCATED_JSON = "200 whose JSON ends in the middle, the length being right"
    EMPTY_BODY = "200 with nothing in it"
    OBJECT_BODY = "200 with an empty object"
    ARRAY_BODY = "200 with an empty array"
    NULL_BODY = "200 with null"
    TEXT_BODY = "200 with a JSON text"
    NUMBER_BODY = "200 with a number"
    RATE_LIMITED = "429 with Retry-After in seconds"
    RATE_LIMITED_UNTIL = "429 with Retry-After as a date"
    RATE_LIMITED_BARE = "429 without Retry-After"
    RATE_LIMITED_GARBAGE = "429 with words in Retry-After"
    HOUR_SPENT = "429 with nothing remaining, for this and all requests until the hour of the clock is over"
    UNAUTHORIZED = "401, the token being right"
    FORBIDDEN = "403"
    NOT_FOUND = "404 in JSON"
    NOT_FOUND_PAGE = "404 with a page of HTML"
    GONE = "410"
    BAD_REQUEST = "400"
    FOUND = "302 to another host"
    TEMPORARY_REDIRECT = "307 to another host"
    FOREIGN_NEXT = "the link to the next page leads to another host"
    REPEATED_PAGE = "the first answer it strikes comes again at every further strike"
    TOTAL_TOO_HIGH = "totals say ten times as many and one, in header and body"
    TOTAL_TOO_LOW = "totals say one, in header and body"
    TOTAL_NULL = "totals are null in the body and no number in the header"
    TOTAL_ABSENT = "totals are left out of header and body"
    UNKNOWN_FIELD = "every row has a field nobody has heard of"
    MISSING_FIELD = "every row lacks its first text field"
    MISTYPED = "booleans are words and texts are objects"
    LONG_TEXT = "a text of the first row has two megabytes"
    CONTROL_CHARACTERS = "texts hold NUL and other control characters"
    INVALID_DATE = "times name the 31st of February"
    KEYLESS = "the first row has no identifiers"
    DELAY = "the answer comes late"
    HANGING = "carried out, but no byte comes, for so many seconds; then the connection ends"
    RESET = "carried out, but the connection is reset before the first byte"
    TORN = "the connection closes in the middle of the body"
    SLOW = "the body arrives in drips"
    UNHEARD_HANGING = "not carried out, and no byte comes, for so many seconds; then the connection ends"
    UNHEARD_RESET = "not carried out, and the connection is reset before the first byte"
    EXECUTED_SERVER_ERROR = "carried out, then 500 with a page of HTML"
    EXECUTED_BAD_GATEWAY = "carried out, then 502 with a page of HTML"
    EXECUTED_GATEWAY_TIMEOUT = "carried out, then 504 with a page of HTML"
    EXECUTED_HTML_PAGE = "carried out, then 200 with a page of HTML"
    FOUND_NEARBY = "302 to another path of this host"
    TEMPORARY_REDIRECT_NEARBY = "307 to another path of this host"


@dataclass
class Fault:
    """Goes wrong for ``times`` requests whose ``path?query`` matches, the first ``after`` of them excepted.

    ``pattern`` is a regular expression, searched for; ``method`` limits it to GET, POST, PATCH or DELETE; ``seconds``
    is the delay, or what ``Retry-After`` says.
    ``rate`` is the share of these requests that are hit, the same ones every time.
    Downloads of exported files are hit too: their paths begin with ``/visibility-export/``.
    """

    pattern: str
    kind: FaultKind
    times: int = 1
    after: int = 0
    seconds: float = 1.0
    method: str = ""
    rate: float = 1.0
    _seen: int = field(default=0, repr=False)
    _page: Response | None = field(default=None, repr=False)

    def strikes(self, method: str, target: str) -> bool:
        """Tell whether this request is hit; count it."""
        if self.method.upper() not in {"", method} or not re.search(self.pattern, target):
            return False
        self._seen += 1
        if not self.after < self._seen <= self.after + self.times:
            return False
        return self.rate >= 1 or stable_hash(self.kind.name, self._seen) % _PARTS < self.rate * _PARTS

    @property
    def transport(self) -> Transport:
        """What becomes of the answer on its way."""
        return _TRANSPORTS.get(self.kind, Transport.WHOLE)

    def spoil(self, answer: Callable[[], Response], now: float) -> Response:
        """Return the answer the client gets instead of ``answer()``."""
        if self.kind in _INSTEAD:
            return _INSTEAD[self.kind]
        if self.kind in _AFTERWARDS:
            answer()
            return _AFTERWARDS[self.kind]
        if self.kind in _LIMITED:
            headers = {**LIMITED.headers, **retry_after(_LIMITED[self.kind], self.seconds, now)}
            return replace(LIMITED, headers=headers)
        if self.kind is FaultKind.REPEATED_PAGE:
            self._page = self._page or answer()
            return self._page
        good = answer()
        return _SPOILERS[self.kind](good) if self.kind in _SPOILERS and good.status == 200 else good


_TRANSPORTS = {
    FaultKind.RESET: Transport.RESET,
    FaultKind.TORN: Transport.TORN,
    FaultKind.SLOW: Transport.SLOW,
    FaultKind.HANGING: Transport.HANGING,
    FaultKind.UNHEARD_RESET: Transport.RESET,
    FaultKind.UNHEARD_HANGING: Transport.HANGING,
}
_LIMITED = {
    FaultKind.RATE_LIMITED: RetryAfter.SECONDS,
    FaultKind.RATE_LIMITED_UNTIL: RetryAfter.DATE,
    FaultKind.RATE_LIMITED_BARE: RetryAfter.ABSENT,
    FaultKind.RATE_LIMITED_GARBAGE: RetryAfter.GARBAGE,
}


def _moved(status: int, host: str = f"https://{ELSEWHERE}") -> Response:
    page = page_answer(status, "Moved")
    return replace(page, headers={**page.headers, "location": f"{host}/api/v1/devices"})


_INSTEAD: Mapping[FaultKind, Response] = {
    FaultKind.SERVER_ERROR: page_answer(500, "Server Error (500)"),
    FaultKind.BAD_GATEWAY: page_answer(502, "502 Bad Gateway"),
    FaultKind.UNAVAILABLE: page_answer(503, "503 Service Unavailable"),
    FaultKind.GATEWAY_TIMEOUT: page_answer(504, "504 Gateway Time-out"),
    FaultKind.HTML_PAGE: page_answer(200, "Welcome to the guest network"),
    FaultKind.EMPTY_BODY: Response(200, HTML, b""),
    FaultKind.OBJECT_BODY: json_answer(200, {}),
    FaultKind.ARRAY_BODY: json_answer(200, []),
    FaultKind.NULL_BODY: json_answer(200, None),
    FaultKind.TEXT_BODY: json_answer(200, "text"),
    FaultKind.NUMBER_BODY: json_answer(200, 42),
    FaultKind.UNAUTHORIZED: UNAUTHORIZED,
    FaultKind.FORBIDDEN: FORBIDDEN,
    FaultKind.NOT_FOUND: NOT_FOUND,
    FaultKind.NOT_FOUND_PAGE: NOT_FOUND_PAGE,
    FaultKind.GONE: json_answer(410, {"detail": "Gone."}),
    FaultKind.BAD_REQUEST: json_answer(400, {"error": "Bad Request"}),
    FaultKind.FOUND: _moved(302),
    FaultKind.TEMPORARY_REDIRECT: _moved(307),
    FaultKind.FOUND_NEARBY: _moved(302, host=""),
    FaultKind.TEMPORARY_REDIRECT_NEARBY: _moved(307, host=""),
    FaultKind.UNHEARD_RESET: Response(0),
    FaultKind.UNHEARD_HANGING: Response(0),
}
_AFTERWARDS: Mapping[FaultKind, Response] = {
    FaultKind[f"EXECUTED_{name}"]: _INSTEAD[FaultKind[name]]
    for name in ("SERVER_ERROR", "BAD_GATEWAY", "GATEWAY_TIMEOUT", "HTML_PAGE")
}

_TOTALS = frozenset({"count", "total", "total_count"})
_TOTAL_HEADERS = frozenset({"x-total-count", "x-total-pages"})
_Decoded = Callable[[Any], Any]


def _decoded(change: _Decoded, response: Response) -> Response:
    """Change the JSON of an answer; what is no JSON stays."""
    try:
        body = json.loads(response.body)
    except ValueError:
        return response
    return replace(response, body=json_answer(200, change(body)).body)


def _totals(lie: Callable[[int], str | None], response: Response) -> Response:
    """Change totals: ``lie`` gives the JSON of a total, or None for none at all."""
    headers = {n: lie(int(v)) if n in _TOTAL_HEADERS else v for n, v in response.headers.items()}
    kept = {name: value for name, value in headers.items() if value is not None}
    return _decoded(partial(_lying, lie), replace(response, headers=kept))


def _lying(lie: Callable[[int], str | None], body: Any) -> Any:
    if not isinstance(body, dict):
        return body
    lies = {name: lie(body[name]) for name in _TOTALS & body.keys() if isinstance(body[name], int)}
    honest = {name: value for name, value in body.items() if name not in lies}
    return {**honest, **{name: json.loads(text) for name, text in lies.items() if text is not None}}


def _foreign(body: Any) -> Any:
    if not (isinstance(body, dict) and isinstance(body.get("next"), str)):
        return body
    return {**body, "next": re.sub(r"^https?://[^/]+", f"https://{ELSEWHERE}", body["next"])}


_SPOILERS: Mapping[FaultKind, Callable[[Response], Response]] = {
    FaultKind.TRUNCATED_JSON: lambda good: replace(good, body=good.body[: len(good.body) // 2]),
    FaultKind.FOREIGN_NEXT: partial(_decoded, _foreign),
    FaultKind.TOTAL_TOO_HIGH: partial(_totals, lambda total: str(10 * total + 1)),
    FaultKind.TOTAL_TOO_LOW: partial(_totals, lambda total: "1"),
    FaultKind.TOTAL_NULL: partial(_totals, lambda total: "null"),
    FaultKind.TOTAL_ABSENT: partial(_totals, lambda total: None),
    **{FaultKind[name.upper().replace(" ", "_")]: partial(_decoded, change) for name, change in CHANGES.items()},
}
