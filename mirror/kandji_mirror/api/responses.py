"""What a response means: which error it is, what its text says, how long the server wants us to wait."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from html import unescape
from http import HTTPStatus
from typing import Any

from kandji_schema.errors import (
    AuthenticationError,
    ConfigurationError,
    MirrorError,
    NotFound,
    PermissionMissing,
    RateLimited,
    Rejected,
    ServerFault,
)
from kandji_schema.http import Response
from kandji_schema.registry import resources
from kandji_schema.text import one_line
from kandji_schema.utc import aware_utc

LONGEST_TEXT = 200
"""Characters of the provider's own words that an error of ours repeats."""

LONGEST_WAIT = 3_600.0
"""Seconds: the longest of the provider's windows. A server that asks for more is not taken at its word."""

_LOOKED_AT = 100_000  # bytes or characters of an error; what is longer is a web page
_NO_ROUTE, _NO_PAGE = "no route matched", "invalid page"
# Nothing of these looks twice at the same place: a body of 100,000 "<" must not cost minutes.
_TITLE = re.compile(r"<title\b[^<>]*>([^<]*)", re.IGNORECASE)
_UNSEEN = re.compile(r"<(script|style)\b.*?(?:</\1\b[^<>]*>|\Z)|<!--.*?(?:-->|\Z)|<[^<>]*>", re.IGNORECASE | re.DOTALL)
_SECONDS = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?")
_BEARER = re.compile(r"(bearer\s+)\S+", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What an answer is judged by: the request (method and path), the token that must not show, and what came before.

    ``proven`` is true once a request with this token and host succeeded: then a 401 is about this endpoint alone,
    unless it was this very one that ``answered`` before. ``now`` is the time of day in seconds since 1970. ``quiet``
    repeats no words of the provider but the few we know, as there may be people in them.
    """

    request: str
    token: str = field(default="", repr=False)
    proven: bool = False
    answered: bool = False
    now: float = 0.0
    quiet: bool = False


def failure(response: Response, asked: Asked) -> MirrorError | None:
    """Return the error an answer stands for; None for 200 to 299."""
    status = response.status
    if 200 <= status < 300:
        return None
    said = f"{asked.request} answered {status}: {_words(response, asked)}"
    known = _BY_STATUS.get(status) or _by_class(status)
    return known(response, asked, said)


def _words(response: Response, asked: Asked) -> str:
    words = error_text(response, token=asked.token)
    if not asked.quiet:
        return words
    return next((known for known in _known_words() if known in words.lower()), _phrase(response.status))


@cache
def _known_words() -> tuple[str, ...]:
    """Return words of the provider that decide something, so that they must be told whatever else is not."""
    return (_NO_ROUTE, _NO_PAGE, *(r.empty_answer for r in resources().values() if r.empty_answer))


def error_text(response: Response, *, token: str = "") -> str:
    """Return the provider's own words, as :func:`tidy` leaves them."""
    return tidy(_first_text(response) or _phrase(response.status), token=token)


def tidy(text: str, *, token: str = "") -> str:
    """Put words from outside on one line of at most 200 characters, without the token and control characters."""
    text = text[:_LOOKED_AT]
    if token:
        text = re.sub(re.escape(token), "***", text, flags=re.IGNORECASE)
    text = _BEARER.sub(r"\1***", text)
    line = one_line(text).rstrip(".")
    return line if len(line) <= LONGEST_TEXT else line[: LONGEST_TEXT - 1] + "…"


def retry_after(response: Response, *, now: float) -> float | None:
    """Return the seconds the server asked to wait, at most an hour; None where it did not say, or the moment is past.

    ``now`` is in seconds since 1970. It counts only where the server does not tell its own time: clocks differ.
    """
    asked = _seconds(header(response, "retry-after"), response, now)
    if not asked and response.status == HTTPStatus.TOO_MANY_REQUESTS and (remaining_hour(response) or 0) > 0:
        asked = _number(header(response, "ratelimit-reset"))
    return min(asked, LONGEST_WAIT) if asked else None


def sent_at(response: Response) -> datetime | None:
    """Read the server's time from its ``Date`` header, in UTC; of an answer that a cache kept, with its ``Age``."""
    moment, age = _moment(header(response, "date")), _number(header(response, "age")) or 0.0
    try:
        return None if moment is None else moment + timedelta(seconds=age)
    except OverflowError:
        return moment


def is_beyond_last_page(error: NotFound) -> bool:
    """Tell whether a 404 says that the list has fewer pages, and not that there is no such list."""
    return _NO_PAGE in str(error).lower()


def remaining_hour(response: Response) -> int | None:
    """Read how many requests the tenant has left in this hour, all tokens together."""
    left = _number(header(response, "x-ratelimit-remaining-hour"))
    return None if left is None else int(left)


def header(response: Response, name: str) -> str | None:
    """Return a header by its name in lower case, however the server spelt it."""
    found = response.headers.get(name)
    if found is None:
        found = next((v for k, v in response.headers.items() if k.lower() == name), None)
    return found


Maker = Callable[[Response, Asked, str], MirrorError]


def _unauthorized(response: Response, asked: Asked, said: str) -> MirrorError:
    if asked.proven and not asked.answered:
        return _forbidden(response, asked, said)
    return AuthenticationError(
        f"{said}. The token is wrong, revoked or expired, or it lacks this permission. "
        "`kandji-mirror login` stores another one, `kandji-mirror --tenant NAME login` that of one of several tenants."
    )


def _forbidden(response: Response, asked: Asked, said: str) -> MirrorError:
    text = f"{said}. The token lacks this permission, or the feature is not licensed."
    return PermissionMissing(text, status=response.status)


def _missing(response: Response, asked: Asked, said: str) -> MirrorError:
    if _NO_ROUTE not in said.lower():
        return NotFound(f"{said}.", status=response.status)
    if asked.proven:  # never NotFound: that would be taken as a proof that a device is gone
        return Rejected(f"{said}. The provider's gateway does not know this path.", status=response.status)
    return ConfigurationError(
        f"{said}. There is no such API host: check KANDJI_SUBDOMAIN and KANDJI_REGION, or KANDJI_API_URL."
    )


def _limited(response: Response, asked: Asked, said: str) -> MirrorError:
    return RateLimited(f"{said}.", status=response.status, retry_after=retry_after(response, now=asked.now))


def _fault(response: Response, asked: Asked, said: str) -> MirrorError:
    return ServerFault(f"{said}.", status=response.status, retry_after=retry_after(response, now=asked.now))


def _redirect(response: Response, asked: Asked, said: str) -> MirrorError:
    # Neither its body nor its Location is repeated: whoever redirects may have put the query into both.
    text = f"{asked.request} answered {response.status}: a redirect, which is not followed with the token."
    return Rejected(f"{text} Check KANDJI_API_URL.", status=response.status)


def _rejected(response: Response, asked: Asked, said: str) -> MirrorError:
    return Rejected(f"{said}.", status=response.status)


_BY_STATUS: Mapping[int, Maker] = {401: _unauthorized, 403: _forbidden, 404: _missing, 429: _limited}
_BY_CLASS: Mapping[int, Maker] = {3: _redirect, 4: _rejected}


def _by_class(status: int) -> Maker:
    return _BY_CLASS.get(status // 100, _fault)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "no text"


def _first_text(response: Response) -> str:
    text = response.body[:_LOOKED_AT].decode("utf-8", errors="replace").lstrip("\ufeff").strip()
    if "html" not in (header(response, "content-type") or "").lower():
        try:
            return "; ".join(filter(None, _texts(json.loads(text))))
        except (ValueError, RecursionError):
            pass
    return _page_text(text)


def _page_text(text: str) -> str:
    title = _TITLE.search(text)
    return unescape(_UNSEEN.sub(" ", title[1] if title else text))


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts of an error body, most telling first: the provider has no fixed shape for it."""
    if isinstance(value, dict):
        yield from _object_texts(value)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif value is not None:
        yield str(value)


def _object_texts(fields: Mapping[str, Any]) -> Iterator[str]:
    for key in ("detail", "error", "message"):
        if fields.get(key):
            yield from _texts(fields[key])
            return
    for name, value in fields.items():
        first = next(_texts(value), None)
        if first is not None:
            yield f"{name}: {first}"


def _number(raw: str | None) -> float | None:
    return float(raw) if raw and _SECONDS.fullmatch(raw.strip()) else None


def _seconds(raw: str | None, response: Response, now: float) -> float | None:
    """Read a ``Retry-After`` value: seconds, or an HTTP date, from the provider's clock or from ours.

    Clocks differ, and whoever sets this header need not be who sets ``Date``: the shortest wait that makes sense is
    taken.
    """
    moment = _moment(raw)
    if moment is None:
        return _number(raw)
    clocks = filter(None, (sent_at(response), datetime.fromtimestamp(now, UTC)))
    waits = [(moment - clock).total_seconds() for clock in clocks]
    return min((wait for wait in waits if 0 <= wait <= LONGEST_WAIT), default=max(0.0, waits[0]))


def _moment(raw: str | None) -> datetime | None:
    """Read an HTTP date, in UTC."""
    try:
        moment = parsedate_to_datetime(raw or "")
        return aware_utc(moment)
    except (ValueError, OverflowError):
        return None
