"""Downloads of signed URLs: which of them may be asked, and files that are there whole or not at all.

Nothing from outside may lead us to this machine, the networks behind it, or what clouds answer on. A name says nothing
about where it leads: it is looked up before anything is sent, and the connection is looked at too, as a name may lead
elsewhere a moment later.
"""

import ipaddress
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from threading import Event
from typing import Any, Self
from urllib.parse import SplitResult, urlsplit

from kandji_mirror.api.proxies import proxy_of
from kandji_mirror.api.transport import MIB, Answer, opened, peer_of, pieces_of
from kandji_schema.errors import (
    Rejected,
    ServerFault,
    StoreFull,
    Unreachable,
    Unreadable,
)
from kandji_schema.http import Target
from kandji_schema.provider import address_of, is_loopback

GIB = 1024 * MIB

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Download:
    """Downloads signed URLs, on any host: see :func:`checked_url`.

    Nothing of what is sent to the API goes there: it knows no token, keeps no cookies, and every download has a
    connection of its own. ``max_bytes`` bounds the file; the rest is as for ``HttpTransport``.
    """

    def __init__(
        self,
        api_url: str,
        *,
        read_timeout: float,
        ca_file: str = "",
        connect_timeout: float = 10.0,
        total_timeout: float = 3_600.0,
        max_bytes: int = 16 * GIB,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api_url = api_url
        self._ca_file = ca_file
        self._connect_timeout = connect_timeout
        self._read_timeout = min(read_timeout, total_timeout)
        self._total_timeout = total_timeout
        self._max_bytes = max_bytes
        self._clock = clock
        self._closed = Event()

    def __call__(self, url: str, target: Target) -> None:
        """Download as a :data:`~kandji_schema.http.Fetch`. The file is there whole, or not at all."""
        parts = checked_url(url, self._api_url)
        what = f"The download from {parts.hostname}"
        deadline = self._clock() + self._total_timeout
        open_only = not is_loopback(self._api_url) and proxy_of(url) is None  # a proxy looks the name up by itself
        if open_only and _leads_to_private(parts.hostname or "", parts.port or 443):
            raise _not_fetched("leads into a private network")
        timeouts: dict[str, Any] = {"connect_timeout": self._connect_timeout, "read_timeout": self._read_timeout}
        with opened(url, what, **timeouts, ca_file=self._ca_file) as answer:
            if open_only and _came_from_private(answer):
                raise Rejected(f"{what} led into a private network. Nothing of it was kept.")
            _refuse_unless_whole(answer, what)
            self._write(answer, target, deadline, what)

    def _write(self, answer: Answer, target: Target, deadline: float, what: str) -> None:
        written = 0
        with _new_file(target) as write:
            for piece in pieces_of(answer, what):
                write(piece)
                written += len(piece)
                if written > self._max_bytes:
                    raise Unreadable(f"{what}: it is larger than {self._max_bytes:,} bytes, so it was given up.")
                if self._clock() > deadline:
                    raise Unreachable(f"{what}: it was not complete after {self._total_timeout:g} s.", sent=True)
                if self._closed.is_set():
                    raise Unreachable(f"{what} was stopped.", sent=True)

    def close(self) -> None:
        """End downloads that still run at their next piece."""
        self._closed.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


# -- the URL -------------------------------------------------------------------------------------------------------


def checked_url(url: str, api_url: str) -> SplitResult:
    """Return the parts of a URL the provider gave for a download; :class:`Rejected` where it is not to be asked.

    It may lead anywhere over https, but not to an address of a private network or of this machine. Only from an API on
    this machine it may lead to it, also over plain http.
    """
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # raises where the port is no number
    except ValueError:
        raise _not_fetched("is no URL") from None
    local = is_loopback(url) and is_loopback(api_url)
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise _not_fetched("does not begin with https://")
    if not parts.hostname or "@" in parts.netloc or re.search(r"[^\x21-\x7e]|\\", url):
        raise _not_fetched("has no plain host name")
    address = address_of(parts.hostname)
    if (is_loopback(url) or (address is not None and _is_private(address))) and not is_loopback(api_url):
        raise _not_fetched("leads into a private network")
    return parts


def _not_fetched(reason: str) -> Rejected:
    """Return the refusal of an address that the provider gave for a download."""
    return Rejected(f"The provider's address of a download {reason}. Nothing was sent.")


def _is_private(address: Address) -> bool:
    """Tell whether an address is not of the open internet; an IPv4 address mapped into IPv6 is judged as itself."""
    inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    return not (inner or address).is_global or (inner or address).is_multicast


def _leads_to_private(host: str, port: int) -> bool:
    """Tell whether any address of a host is private. False where it has none: the connection will say so.

    The resolver of the system decides, which also reads ``127.1`` and ``2130706433``.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    addresses = (_address_of(str(sockaddr[0])) for *_, sockaddr in found)
    return any(address is None or _is_private(address) for address in addresses)


def _came_from_private(answer: Answer) -> bool:
    """Tell whether the connection leads elsewhere than the name did a moment before."""
    peer = peer_of(answer)
    address = _address_of(peer) if peer else None
    return address is not None and _is_private(address)


def _address_of(host: str) -> Address | None:
    """Return the host as an address; None for a name. A zone (``fe80::1%en0``) is left out."""
    return address_of(host.partition("%")[0])


# -- the file ------------------------------------------------------------------------------------------------------


@contextmanager
def _new_file(target: Target) -> Iterator[Callable[[bytes], object]]:
    """Open something that writes into ``target``, of which nothing stays where anything fails.

    :class:`StoreFull` for any trouble with the file itself.
    """
    try:
        with target.open("wb") as file:
            yield file.write
    except BaseException as error:
        with suppress(OSError):
            target.unlink()
        if not isinstance(error, OSError):
            raise
        raise StoreFull(
            f"{target} could not be written: {error.strerror or error}. Free some space, correct the rights, or choose "
            "another KANDJI_MIRROR_HOME; what was published before still answers."
        ) from error


def _refuse_unless_whole(answer: Answer, what: str) -> None:
    """Refuse what is no file, and a file of which nobody could tell that it came whole.

    The body is not repeated: storage services answer a wrong signature with all that went into it.
    """
    status = answer.status_code
    said = f"{what} was answered with {status}"
    if 300 <= status < 500 and status != HTTPStatus.TOO_MANY_REQUESTS:
        raise Rejected(f"{said}: the address has expired, or it leads nowhere.", status=status)
    if status != HTTPStatus.OK:
        raise ServerFault(f"{said}.", status=status if status >= 500 else 503)
    if "html" in answer.headers.get("content-type", "").lower():
        raise ServerFault(f"{said}, but it is a web page.", status=status)
    if not {"content-length", "transfer-encoding"} & answer.headers.keys():
        raise ServerFault(f"{said}, but without a length: it could be cut short unseen.", status=status)
