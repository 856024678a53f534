"""The real :data:`~kandji_mirror.api.wire.Send`: HTTPS through httpx. No other module knows httpx."""

import logging
import ssl
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlencode

import httpx

from kandji_mirror.api.endpoint import is_loopback
from kandji_mirror.api.paths import checked
from kandji_mirror.api.wire import Request, Response
from kandji_schema.errors import ApiError, ConfigurationError, MirrorError, ServerFault, Unreachable

MIB = 1024 * 1024
CONNECTIONS = 32
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_REASONS: tuple[tuple[type[httpx.HTTPError], str], ...] = (
    (httpx.ConnectTimeout, "no connection in time; check the network, the proxy and KANDJI_SUBDOMAIN"),
    (httpx.PoolTimeout, "all connections were busy"),
    (httpx.TimeoutException, "no byte came for too long (KANDJI_MIRROR_READ_TIMEOUT)"),
    (httpx.ProxyError, "the proxy refused the connection; check HTTPS_PROXY"),
    (httpx.ConnectError, "no connection; check the network, the proxy and KANDJI_SUBDOMAIN"),
    (httpx.RemoteProtocolError, "the connection closed in the middle of the answer"),
)


class HttpTransport:
    """Sends requests to one host and to no other. Safe to call from several threads at once.

    Timeouts are in seconds: ``read_timeout`` without a byte, ``total_timeout`` for the whole answer. ``max_bytes``
    bounds the decoded body. ``ca_file`` is a PEM file trusted beside the usual authorities. Proxy variables of the
    environment count, except for a loopback host.
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
        for name in ("httpx", "httpcore"):  # at INFO they log whole URLs, with serial numbers and addresses
            logging.getLogger(name).setLevel(logging.WARNING)
        read = min(read_timeout, total_timeout)
        timeout = httpx.Timeout(connect=connect_timeout, read=read, write=read, pool=read)
        self._client = _open(base_url, timeout, _tls(base_url, ca_file))

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
        except httpx.HTTPError as error:
            raise _translated(error, what) from None  # the text of httpx's own errors may hold the URL

    def _body(self, answer: httpx.Response, deadline: float, what: str) -> bytes:
        pieces = bytearray()
        for piece in answer.iter_bytes():
            pieces += piece
            if len(pieces) > self._max_bytes:
                raise ServerFault(
                    f"{what}: the answer is larger than {self._max_bytes:,} bytes, so it was given up.",
                    status=answer.status_code,
                )
            if self._clock() > deadline:
                raise Unreachable(f"{what}: the answer was not complete after {self._total_timeout:g} s.", sent=True)
        return bytes(pieces)

    def close(self) -> None:
        """Close all connections. The transport cannot be used any more."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _open(base_url: str, timeout: httpx.Timeout, tls: ssl.SSLContext) -> httpx.Client:
    try:
        return httpx.Client(
            timeout=timeout,
            verify=tls,
            trust_env=not is_loopback(base_url),
            follow_redirects=False,
            http2=False,
            headers={"Accept-Encoding": "gzip"},
            limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
        )
    except (ValueError, ImportError, httpx.InvalidURL) as error:  # the only values it reads itself
        raise ConfigurationError(
            "HTTPS_PROXY, ALL_PROXY or NO_PROXY of the environment cannot be used "
            f"({type(error).__name__}). Correct them or remove them."
        ) from None


def _tls(base_url: str, ca_file: str) -> ssl.SSLContext:
    if base_url.startswith("http://"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # never used; reading the authorities costs 20 ms
    try:
        context = httpx.create_ssl_context()
        if ca_file:
            context.load_verify_locations(cafile=ca_file)
    except OSError as error:  # ssl.SSLError is one
        raise ConfigurationError(
            f"KANDJI_MIRROR_CA_FILE {ca_file!r} (or SSL_CERT_FILE) cannot be used: "
            f"{error.strerror or 'not a PEM file'}. Name a PEM file of certificate authorities."
        ) from error
    return context


def _translated(error: httpx.HTTPError, what: str) -> MirrorError:
    if _untrusted(error):
        return ConfigurationError(
            f"{what}: the server's certificate is not trusted. Behind a company proxy, set KANDJI_MIRROR_CA_FILE to "
            "the PEM file of its authority."
        )
    if isinstance(error, httpx.DecodingError):
        return ServerFault(f"{what}: the body of the answer cannot be decompressed.", status=200)
    return _no_answer(error, what)


def _no_answer(error: httpx.HTTPError, what: str) -> ApiError:
    reason = next((text for kind, text in _REASONS if isinstance(error, kind)), "the connection broke")
    return Unreachable(f"{what}: {reason} ({type(error).__name__}).", sent=not isinstance(error, _NEVER_SENT))


def _untrusted(error: BaseException | None) -> bool:
    """Whether a failed check of a certificate lies at the bottom."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
