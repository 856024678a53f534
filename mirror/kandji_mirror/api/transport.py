"""The HTTP transport: requests to the API over HTTPS, through httpx. No other module knows httpx.

:class:`HttpTransport` is the real :data:`~kandji_schema.http.Send`, and :func:`opened` is for downloads. Bodies are
decompressed here in small steps, since what is tiny on the wire may be huge: httpx would inflate all that one read of
the socket brought, layer by layer, before anybody could count it.
"""

import logging
import os
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from io import BytesIO
from threading import Lock
from typing import Self, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import httpx

from kandji_mirror.api.endpoint import checked_path, setting_of
from kandji_mirror.api.proxies import proxy_of
from kandji_schema.errors import (
    ConfigurationError,
    MirrorError,
    Rejected,
    ServerFault,
    Unreachable,
    Unreadable,
)
from kandji_schema.http import Request, Response
from kandji_schema.installation import how_to_add

T = TypeVar("T")

Answer = httpx.Response
"""An answer whose body is still to be read."""

Headers = Mapping[str, str] | None

MIB = 1024 * 1024
CONNECTIONS = 32
HTTP, HTTPS = 80, 443

LARGE = 4 * MIB
"""Of bodies that are larger than this only one is read at a time: eight at once would take eight times the memory."""

STEP = 256 * 1024
"""Bytes that are decompressed at once, at most."""

_GZIP_OR_ZLIB = 47  # zlib's own code for "either header"
_COMPRESSED = frozenset({"gzip", "x-gzip", "deflate"})
_MEMBER = b"\x1f\x8b"

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
        self._client = _client(base_url, connect_timeout, min(read_timeout, total_timeout), ca_file, encoding="gzip")

    def __call__(self, request: Request) -> Response:
        """Send once. :class:`Unreachable` without an answer, :class:`ServerFault` for one that cannot be taken in."""
        url = self._base_url + checked_path(request.path)
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

    def _body(self, answer: Answer, deadline: float, what: str) -> bytes:
        body, alone = BytesIO(), False  # its value is no second copy
        with ExitStack() as turn:
            for piece in pieces_of(answer, what):
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

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def opened(
    url: str, what: str, *, connect_timeout: float, read_timeout: float, ca_file: str, headers: Headers = None
) -> Iterator[Answer]:
    """GET a URL of any host, as it is, on a connection of its own; errors speak of ``what``.

    It is sent without a token, with ``headers`` where there are any, and not followed elsewhere.
    :class:`Unreachable`, :class:`Rejected` where it is no URL.
    """
    try:
        with (
            _client(url, connect_timeout, read_timeout, ca_file) as client,
            client.stream("GET", url, headers=headers) as answer,
        ):
            yield answer
    except httpx.HTTPError as error:
        raise _translated(error, what, "the firewall") from None
    except httpx.InvalidURL:
        raise Rejected("The provider's address of a download is no URL. Nothing was sent.") from None


def read_document(url: str, *, ca_file: str = "", seconds: float, most: int) -> bytes:
    """GET a small public document of any host; :class:`Unreachable` or :class:`ServerFault` where there is none.

    Sent without a token; a redirect is a failure and not followed. ``seconds`` bound each step and, once the answer has
    begun, all of it; ``most`` are bytes.
    """
    what = f"GET {url}"
    deadline = time.monotonic() + seconds
    body = bytearray()
    with opened(url, what, connect_timeout=seconds, read_timeout=seconds, ca_file=ca_file) as answer:
        if answer.status_code != 200:
            raise ServerFault(f"{what}: the answer is {answer.status_code}.", status=answer.status_code)
        for piece in pieces_of(answer, what):
            body += piece
            if len(body) > most:
                raise ServerFault(f"{what}: the answer is larger than {most:,} bytes, so it was given up.", status=200)
            if time.monotonic() > deadline:
                raise Unreachable(f"{what}: the answer was not complete after {seconds:g} s.", sent=True)
    return bytes(body)


def peer_of(answer: Answer) -> str | None:
    """Return the address that an answer comes from; None where the system does not tell."""
    peer = answer.extensions["network_stream"].get_extra_info("server_addr")
    return str(peer[0]) if peer else None


def post_json(url: str, body: bytes, *, ca_file: str = "", seconds: float) -> int:
    """Post once to a webhook of the owner's and return the status; :class:`Unreachable` where no answer comes.

    No proxy of the environment sees it; the rest is as for :func:`posted`.
    """
    return posted(url, body, ca_file=ca_file, seconds=seconds, proxies=False).status


def posted(url: str, body: bytes, *, ca_file: str = "", seconds: float, proxies: bool = True) -> Response:
    """Post JSON once to a webhook of the owner's and return status and headers; :class:`Unreachable` without an answer.

    No redirect is followed and nothing of the answer's body is read. ``seconds`` bound each step. With ``proxies`` it
    goes through the proxy of the environment, which sees the host of an address with https and no more.
    """
    kind = {"Content-Type": "application/json"}
    try:
        with (
            _client(url, seconds, seconds, ca_file, proxies=proxies) as client,
            client.stream("POST", url, headers=kind, content=body) as answer,
        ):
            return Response(answer.status_code, {name.lower(): value for name, value in answer.headers.items()})
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


def pieces_of(answer: Answer, what: str) -> Iterator[bytes]:
    """Yield the decompressed body, in pieces of at most :data:`STEP` bytes.

    :class:`ServerFault` where it is damaged, ends too early, or is compressed twice or in a way nobody asked for.
    """
    encodings = answer.headers.get("content-encoding", "").split(",")
    names = [name for part in encodings if (name := part.strip().lower()) not in ("", "identity")]
    try:
        if len(names) > 1 or not _COMPRESSED.issuperset(names):
            raise _Undecodable(f"it is compressed as {', '.join(names)[:40]!r}, which was not asked for")
        yield from _inflated(answer.iter_raw()) if names else answer.iter_raw()
    except _Undecodable as error:
        text = f"{what}: the body of the answer cannot be decompressed: {error}."
        raise ServerFault(text, status=answer.status_code) from None


class _Undecodable(Exception):
    """A body that is not what its header says; the text says why."""


def _inflated(pieces: Iterable[bytes]) -> Iterator[bytes]:
    inflater, began = zlib.decompressobj(_GZIP_OR_ZLIB), False
    try:
        for piece in pieces:
            began = began or bool(piece)
            while piece:
                if inflater.eof and not piece.startswith(_MEMBER):
                    break  # what follows the end is padding
                inflater = zlib.decompressobj(_GZIP_OR_ZLIB) if inflater.eof else inflater
                if step := inflater.decompress(piece, STEP):
                    yield step
                piece = inflater.unused_data or inflater.unconsumed_tail
    except zlib.error:
        raise _Undecodable("it is damaged") from None
    if began and not inflater.eof:
        raise _Undecodable("it is cut short")


def _client(
    base_url: str, connect: float, read: float, ca_file: str, *, encoding: str = "identity", proxies: bool = True
) -> httpx.Client:
    for name in ("httpx", "httpcore"):  # at INFO they log whole URLs, with serial numbers, addresses and signatures
        logging.getLogger(name).setLevel(logging.WARNING)
    tls, proxy = _tls(base_url, ca_file), proxy_of(base_url) if proxies else None
    try:
        return httpx.Client(
            timeout=httpx.Timeout(read, connect=connect),
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
            "HTTPS_PROXY or ALL_PROXY names a SOCKS proxy, which needs the extra `socks`, which is not installed here: "
            f"{how_to_add('socks')}. Or name the API's host in NO_PROXY."
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
    reason = next((text for kind, text in _REASONS if isinstance(error, kind)), "the connection broke")
    text = f"{what}: {reason.format(setting=setting)} ({type(error).__name__})."
    return Unreachable(text, sent=not isinstance(error, _NEVER_SENT))


def _untrusted(error: BaseException | None) -> bool:
    """Tell whether a failed check of a certificate lies at the bottom."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
