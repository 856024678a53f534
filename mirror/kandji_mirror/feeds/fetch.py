"""One document of a feed over the network: one GET, conditional, bounded, and from the host that was named alone.

Nothing of the tenant is in it: no token, no identifier, only the address and what the server itself said of the version
that is here. A redirect is followed once, to the same host; elsewhere nothing of ours goes.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import SplitResult, urljoin, urlsplit

from kandji_mirror.api.transport import Answer, opened, pieces_of
from kandji_mirror.feeds.document import MOST_BYTES
from kandji_schema.errors import ConfigurationError, Interrupted, Rejected, ServerFault, Unreachable
from kandji_schema.feed_state import DocumentState
from kandji_schema.feeds import Feed
from kandji_schema.provider import is_loopback

CONNECT_SECONDS = 10.0
TOTAL_SECONDS = 120.0
"""What a connection, and the whole answer, may take."""

_MOVED = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True)
class Fetched:
    """What a server answered: the ``body``, None where it is the version that is here already."""

    body: bytes | None
    etag: str | None = None
    modified: str | None = None


@dataclass(frozen=True)
class How:
    """The network's settings, and whether someone wants it to end."""

    ca_file: str = ""
    read_timeout: float = 60.0
    stopped: Callable[[], bool] = bool


def checked_base(feed: Feed, given: str) -> str:
    """Return where the documents of a feed lie; :class:`ConfigurationError` for an address that is none to be asked."""
    base = (given or feed.url).rstrip("/")
    try:
        parts = urlsplit(base)
        parts.port  # noqa: B018  # raises where the port is no number
    except ValueError:
        parts = SplitResult("", "", "", "", "")
    safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(base))
    plain = parts.hostname and "@" not in parts.netloc and not parts.query and not parts.fragment and base.isascii()
    if not (safe and plain and base.isprintable() and " " not in base):
        raise ConfigurationError(
            f"{feed.url_setting} is {given[:200]!r}; it must be a plain address that begins with https://, or with "
            "http:// on this machine. Correct it or remove it."
        )
    return base


def fetch(url: str, known: DocumentState, how: How) -> Fetched:
    """GET a document, unless the server says that it is the one ``known``.

    :class:`Unreachable`, :class:`ServerFault` and :class:`Rejected` say what came instead; :class:`Interrupted`.
    """
    headers = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "kandji-mirror"}
    if known.etag:
        headers["If-None-Match"] = known.etag
    if known.modified:
        headers["If-Modified-Since"] = known.modified
    asked, conditional = url, bool(known.etag or known.modified)
    for _ in range(2):
        found = _once(asked, headers, how, conditional=conditional)
        if isinstance(found, Fetched):
            return found
        asked = _same_host(asked, found)
    raise Rejected(f"GET {url} is redirected again and again, which is not followed.")


def _once(url: str, headers: dict[str, str], how: How, *, conditional: bool) -> Fetched | str:
    """Return what came, or the address that was given instead."""
    what, deadline = f"GET {url}", time.monotonic() + TOTAL_SECONDS
    with opened(
        url,
        what,
        connect_timeout=CONNECT_SECONDS,
        read_timeout=min(how.read_timeout, TOTAL_SECONDS),
        ca_file=how.ca_file,
        headers=headers,
    ) as answer:
        status, moved = answer.status_code, answer.headers.get("location")
        if status in _MOVED and moved:
            return str(moved)
        told = {"etag": _header(answer, "etag"), "modified": _header(answer, "last-modified")}
        if status == HTTPStatus.NOT_MODIFIED and conditional:
            return Fetched(None, **told)
        if status != HTTPStatus.OK:
            raise ServerFault(f"{what} answered {status}.", status=status)
        return Fetched(_body(answer, what, deadline, how), **told)


def _header(answer: Answer, name: str) -> str | None:
    """Return a header that may be sent back; None for one that is beyond reason."""
    value = answer.headers.get(name)
    return value if value and len(value) <= 200 and value.isascii() and value.isprintable() else None


def _body(answer: Answer, what: str, deadline: float, how: How) -> bytes:
    body = bytearray()
    for piece in pieces_of(answer, what):
        body += piece
        if len(body) > MOST_BYTES:
            raise ServerFault(
                f"{what}: the answer is larger than {MOST_BYTES:,} bytes, so it was given up.", status=200
            )
        if time.monotonic() > deadline:
            raise Unreachable(f"{what}: the answer was not complete after {TOTAL_SECONDS:g} s.", sent=True)
        if how.stopped():
            raise Interrupted("Stopped while a feed was read; its previous rows stay.")
    return bytes(body)


def _same_host(url: str, location: str) -> str:
    """Return where a redirect leads; :class:`Rejected` where that is another host, or no https."""
    target = urljoin(url, location)
    try:
        was, leads = urlsplit(url), urlsplit(target)
        same = (leads.scheme, leads.hostname, leads.port) == (was.scheme, was.hostname, was.port)
    except ValueError:
        raise Rejected(f"GET {url} is redirected to what is no address. It is not followed.") from None
    if not same or "@" in leads.netloc:
        host = f"{leads.scheme}://{leads.hostname or ''}"[:120]
        raise Rejected(f"GET {url} is redirected to {host!r}, another host than was asked. It is not followed.")
    return target
