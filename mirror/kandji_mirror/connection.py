"""A client for the configured tenant: its host, its token, and the budget all processes share."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from kandji_mirror.api.client import Client
from kandji_mirror.api.credentials import token
from kandji_mirror.api.download import Download
from kandji_mirror.api.endpoint import base_url
from kandji_mirror.api.rate_limit import RateLimiter, SharedPermits, shared_limiter
from kandji_mirror.api.transport import HttpTransport
from kandji_schema import home
from kandji_schema.http import SIMULATED_HEADER, Request, Response, Send
from kandji_schema.provider import BACKGROUND_STOPS_BELOW, REQUESTS_PER_HOUR, is_loopback, same_tenant
from kandji_schema.settings import Settings

BACKGROUND: Mapping[str, Any] = {"floor": BACKGROUND_STOPS_BELOW}
ACTING: Mapping[str, Any] = {"floor": 1, "patience": 20.0}
"""What clients for work that nobody waits for, and for live actions, have of their own.

A live action may have the tenant's last requests of the hour: a lost Mac is not locked later. It waits so many seconds
for its turn before it is given up unsent.
"""


@dataclass(frozen=True)
class Connection:
    """``tenant`` is the name a home is bound to, ``url`` the API's base URL."""

    tenant: str
    url: str
    client: Client


@contextmanager
def connect(
    settings: Settings, *, background: bool = False, acting: bool = False, any_home: bool = False
) -> Iterator[Connection]:
    """Read host and token from the settings; :class:`ConfigurationError` before anything is sent.

    The home must be the tenant's, or nobody's yet, unless it may be ``any_home``, for who only asks whether a token is
    good.

    A ``background`` client keeps to the share of work that nobody waits for, and leaves the last of the hour to others.
    An ``acting`` one, for live actions, may have the last of the hour, and does not wait long unsent.
    """
    url = base_url(settings)
    secret = token(settings)
    if not any_home:
        home.refuse_foreign(settings)
    limits: dict[str, Any] = {
        "per_second": settings.mirror_requests_per_second,
        "per_hour": settings.mirror_requests_per_hour,
        "background_per_hour": background_per_hour(settings),
    }
    network: dict[str, Any] = {"read_timeout": settings.mirror_read_timeout, "ca_file": settings.mirror_ca_file}
    with (
        RateLimiter(settings.home, url, **limits) as own,
        shared_limiter(settings.budget_dir, url, **limits) as shared,
        HttpTransport(url, **network) as transport,
        Download(url, **network) as download,
    ):
        limiters = [limiter.background() if background else limiter for limiter in (own, shared) if limiter]
        permits = SharedPermits(*limiters) if len(limiters) > 1 else limiters[0]
        send = transport if any_home else _TenantCheck(transport, settings, url)
        waits = BACKGROUND if background else ACTING if acting else {}
        client = Client(send, secret, permits, fetch=download, quiet=settings.privacy.masks_agents, **waits)
        try:
            yield Connection(home.name_here(settings, url), url, client)
        finally:
            client.stop()


class _TenantCheck:
    """Sends, and makes sure from the first answer on that the home is that of the tenant who answers.

    Only a simulated tenant says who it is; of others the host tells.
    """

    def __init__(self, send: Send, settings: Settings, url: str) -> None:
        self._send = send
        self._settings = settings
        self._url = url
        self._known: str | None = None

    def __call__(self, request: Request) -> Response:
        """Send; :class:`ConfigurationError` where the home is another tenant's."""
        response = self._send(request)
        if self._known is None and response.status < HTTPStatus.BAD_REQUEST:
            self._compare(response.headers.get(SIMULATED_HEADER, "") if is_loopback(self._url) else "")
        return response

    def _compare(self, told: str) -> None:
        identity = f"{home.SIMULATED}{told}" if told else self._url
        before = home.noted(self._settings.home)
        if before is None:
            home.note(self._settings.home, identity)
        elif not same_tenant(before, identity):
            raise home.foreign(self._settings, self._url, f"the tenant of {before}")
        self._known = identity


def background_per_hour(settings: Settings) -> int:
    """Return the requests an hour that background work of all our processes may send together."""
    return REQUESTS_PER_HOUR * settings.mirror_background_share // 100
