"""The real :data:`~kandji_schema.http.Send` and :data:`~kandji_schema.http.Fetch`: HTTPS through httpx.

No other module knows httpx.
"""

import logging
import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http import HTTPStatus
from io import BytesIO
from threading import Event, Lock
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import httpx

from kandji_mirror.api.decoding import Undecodable, decoded
from kandji_mirror.api.endpoint import not_fetched, setting_of, signed_url
from kandji_mirror.api.paths import checked
from kandji_mirror.api.private_networks import address_of, is_private, leads_to_private
from kandji_mirror.api.proxies import proxy_of
from kandji_mirror.api.whole_file import new_file
from kandji_schema.errors import (
    ApiError,
    ConfigurationError,
    MirrorError,
    Rejected,
    ServerFault,
    Unreachable,
    Unreadable,
)
from kandji_schema.http import Request, Response, Target
from kandji_schema.provider import is_loopback

T = TypeVar("T")

MIB = 1024 * 1024
GIB = 1024 * MIB
CONNECTIONS = 32
HTTP, HTTPS = 80, 443

LARGE = 4 * MIB
"""Of bodies that are larger than this only one is read at a time: eight at once would take eight times the memory."""

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_REASONS: tuple[tuple[type[httpx.HTTPError], str], ...] = (
    (httpx.ConnectTimeout, "no connection in time; check the network, the proxy and {setting}"),
    (httpx.PoolTimeout, "all connections were busy"),
    (httpx.TimeoutException, "no byte came for too long (KANDJI_MIRROR_READ_TIMEOUT)"),
    (httpx.ProxyError, "the proxy refused the connection; check HTTPS_PROXY and ALL_PROXY"),
    (httpx.ConnectError, "no connection; check the network, the proxy and {setting}"),
    (httpx.RemoteProtocolError, "the connection closed in the middle of the answer"),
)


class HttpTransport:
    """Sends requests to one host and to no other. Safe to call from several threads at once.

    Timeouts are in seconds: ``read_timeout`` without a byte, ``total_timeout`` for the whole answer. ``max_bytes``
    bounds the decoded body. ``ca_file`` is a PEM file trusted beside the usual authorities. Which proxy is asked:
    :func:`~kandji_mirror.api.proxies.proxy_of`.
    """

    def __init__(
        self,
        base_url: str,
        *,
        read_timeout: float,
        ca_file: str = "",
        connect_timeout: float = 10.0,
        total_timeout: float = 120.0,
        max_bytes: int = 64 * MIB,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._base_url = base_url
        self._total_timeout = total_timeout
        self._max_bytes = max_bytes
        self._clock = clock
        self._large = Lock()
        timeout = _timeout(connect_timeout, min(read_timeout, total_timeout))
        self._client = _open(base_url, timeout, _tls(base_url, ca_file), encoding="gzip")

    def __call__(self, request: Request) -> Response:
        """Send once. :class:`Unreachable` without an answer, :class:`ServerFault` for one that cannot be taken in."""
        url = self._base_url + checked(request.path)
        if request.query:
            url += "?" + urlencode(request.query, quote_via=quote)
        what = f"{request.method} {request.path}"
        deadline = self._clock() + self._total_timeout
        try:
            with self._client.stream(
                request.method, url, headers=dict(request.headers), content=request.body or None
            ) as answer:
                body = self._body(answer, deadline, what)
                headers = {name.lower(): value for name, value in answer.headers.items()}
                return Response(answer.status_code, headers, body)
        except httpx.HTTPError as error:  # its own text may hold the URL
            raise _translated(error, what, setting_of(self._base_url)) from None

    def _body(self, answer: httpx.Response, deadline: float, what: str) -> bytes:
        body, alone = BytesIO(), False  # its value is no second copy
        with ExitStack() as turn:
            for piece in _pieces(answer, what):
                body.write(piece)
                if body.tell() > self._max_bytes:
                    raise Unreadable(
                        f"{what}: the answer is larger than {self._max_bytes:,} bytes, so it was given up.",
                        status=answer.status_code,
                    )
                if self._clock() > deadline:
                    raise Unreachable(
                        f"{what}: the answer was not complete after {self._total_timeout:g} s.", sent=True
                    )
                if body.tell() > LARGE and not alone:
                    turn.enter_context(self._large)
                    alone = True
            return body.getvalue()

    def close(self) -> None:
        """Close all connections. The transport cannot be used any more."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Download:
    """Downloads signed URLs, on any host: see :func:`~kandji_mirror.api.endpoint.signed_url`.

    Nothing of what is sent to the API goes there: it knows no token, keeps no cookies, and every download has a
    connection of its own. ``max_bytes`` bounds the file; the rest is as for :class:`HttpTransport`.
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
        self._timeout = _timeout(connect_timeout, min(read_timeout, total_timeout))
        self._total_timeout = total_timeout
        self._max_bytes = max_bytes
        self._clock = clock
        self._closed = Event()

    def __call__(self, url: str, target: Target) -> None:
        """A :data:`~kandji_schema.http.Fetch`. The file is there whole, or not at all."""
        parts = signed_url(url, self._api_url)
        what = f"The download from {parts.hostname}"
        deadline = self._clock() + self._total_timeout
        open_only = not is_loopback(self._api_url) and proxy_of(url) is None  # a proxy looks the name up by itself
        if open_only and leads_to_private(parts.hostname or "", parts.port or 443):
            raise not_fetched("leads into a private network")
        try:
            with (
                _open(url, self._timeout, _tls(url, self._ca_file), encoding="identity") as client,
                client.stream("GET", url) as answer,
            ):
                if open_only and _came_from_private(answer):
                    raise Rejected(f"{what} led into a private network. Nothing of it was kept.")
                _refuse_unless_whole(answer, what)
                self._write(answer, target, deadline, what)
        except httpx.HTTPError as error:
            raise _translated(error, what, "the firewall") from None
        except httpx.InvalidURL:
            raise Rejected("The provider's address of a download is no URL. Nothing was sent.") from None

    def _write(self, answer: httpx.Response, target: Target, deadline: float, what: str) -> None:
        written = 0
        with new_file(target) as write:
            for piece in _pieces(answer, what):
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

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def post_json(url: str, body: bytes, *, ca_file: str = "", seconds: float) -> int:
    """Post once to a webhook of the owner's and give the status; :class:`Unreachable` where no answer comes.

    No redirect is followed, nothing of the answer's body is read, and no proxy of the environment sees it.
    ``seconds`` bound each step.
    """
    kind = {"Content-Type": "application/json"}
    try:
        with (
            _open(url, _timeout(seconds, seconds), _tls(url, ca_file), encoding="identity", proxies=False) as client,
            client.stream("POST", url, headers=kind, content=body) as answer,
        ):
            return answer.status_code
    except (httpx.HTTPError, httpx.InvalidURL) as error:  # its own text may hold the URL
        raise Unreachable(f"no answer came ({type(error).__name__})", sent=not isinstance(error, _NEVER_SENT)) from None


def connected_to(url: str, *, ca_file: str = "", seconds: float) -> None:
    """Connect to a webhook of the owner's as :func:`post_json` does, and say nothing. :class:`Unreachable`."""
    parts = urlsplit(url)
    port = parts.port or (HTTPS if parts.scheme == "https" else HTTP)
    try:
        with ExitStack() as stack:
            plain = stack.enter_context(socket.create_connection((parts.hostname or "", port), timeout=seconds))
            if parts.scheme == "https":
                stack.enter_context(_tls(url, ca_file).wrap_socket(plain, server_hostname=parts.hostname))
    except OSError as error:  # its own text may hold the address
        known = isinstance(error, ssl.SSLCertVerificationError)
        why = "its certificate is not trusted" if known else type(error).__name__
        raise Unreachable(f"no connection ({why})", sent=False) from None


def _came_from_private(answer: httpx.Response) -> bool:
    """Whether the connection leads elsewhere than the name did a moment before."""
    peer = answer.extensions["network_stream"].get_extra_info("server_addr")
    address = address_of(str(peer[0])) if peer else None
    return address is not None and is_private(address)


def _pieces(answer: httpx.Response, what: str) -> Iterator[bytes]:
    """The decompressed body, in small pieces."""
    try:
        yield from decoded(answer.iter_raw(), answer.headers.get("content-encoding", ""))
    except Undecodable as error:
        text = f"{what}: the body of the answer cannot be decompressed: {error}."
        raise ServerFault(text, status=answer.status_code) from None


def _refuse_unless_whole(answer: httpx.Response, what: str) -> None:
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


def _timeout(connect: float, read: float) -> httpx.Timeout:
    return httpx.Timeout(connect=connect, read=read, write=read, pool=read)


def _open(
    base_url: str, timeout: httpx.Timeout, tls: ssl.SSLContext, *, encoding: str, proxies: bool = True
) -> httpx.Client:
    for name in ("httpx", "httpcore"):  # at INFO they log whole URLs, with serial numbers, addresses and signatures
        logging.getLogger(name).setLevel(logging.WARNING)
    proxy = proxy_of(base_url) if proxies else None
    try:
        return httpx.Client(
            timeout=timeout,
            verify=tls,
            proxy=proxy,
            trust_env=False,
            follow_redirects=False,
            http2=False,
            headers={"Accept-Encoding": encoding},
            limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
        )
    except ImportError:
        raise ConfigurationError(
            "HTTPS_PROXY or ALL_PROXY names a SOCKS proxy, which needs the extra: pip install 'kandji-mirror[socks]'. "
            "Or name the API's host in NO_PROXY."
        ) from None
    except (ValueError, httpx.InvalidURL) as error:  # never with its text: a password may be in it
        raise ConfigurationError(
            f"HTTPS_PROXY or ALL_PROXY cannot be used ({type(error).__name__}). Correct it or remove it."
        ) from None


def _tls(base_url: str, ca_file: str) -> ssl.SSLContext:
    if base_url.startswith("http://"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # never used; reading the authorities costs 20 ms
    context = _trusting("SSL_CERT_FILE", os.environ.get("SSL_CERT_FILE", ""), httpx.create_ssl_context)
    if ca_file:
        _trusting("KANDJI_MIRROR_CA_FILE", ca_file, lambda: context.load_verify_locations(cafile=ca_file))
    return context


def _trusting(setting: str, value: str, load: Callable[[], T]) -> T:
    try:
        return load()
    except OSError as error:  # ssl.SSLError is one
        raise ConfigurationError(
            f"{setting} {value!r} cannot be used: {error.strerror or 'not a PEM file'}. Name a PEM file of certificate "
            "authorities, or remove the setting."
        ) from error


def _translated(error: httpx.HTTPError, what: str, setting: str) -> MirrorError:
    if _untrusted(error):
        return ConfigurationError(
            f"{what}: the server's certificate is not trusted. Behind a company proxy, set KANDJI_MIRROR_CA_FILE to "
            "the PEM file of its authority."
        )
    return _no_answer(error, what, setting)


def _no_answer(error: httpx.HTTPError, what: str, setting: str) -> ApiError:
    reason = next((text for kind, text in _REASONS if isinstance(error, kind)), "the connection broke")
    reason = reason.format(setting=setting)
    return Unreachable(f"{what}: {reason} ({type(error).__name__}).", sent=not isinstance(error, _NEVER_SENT))


def _untrusted(error: BaseException | None) -> bool:
    """Whether a failed check of a certificate lies at the bottom."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
