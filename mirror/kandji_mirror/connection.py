"""A client for the configured tenant: its host, its token, and the budget all processes share."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus

from kandji_mirror.api.budget import Limiter, Permits
from kandji_mirror.api.client import Client
from kandji_mirror.api.credentials import token
from kandji_mirror.api.endpoint import base_url
from kandji_mirror.api.http import Download, HttpTransport
from kandji_mirror.api.machine import Both, shared_budget
from kandji_schema import home
from kandji_schema.http import SIMULATED_HEADER, Request, Response, Send
from kandji_schema.provider import BACKGROUND_STOPS_BELOW, is_loopback, same_tenant
from kandji_schema.settings import Settings

PROVIDERS_HOUR = 10_000
"""Requests an hour that the provider allows a tenant, all its tokens together (the provider's contract)."""

ACTION_FLOOR = 1
"""A live action may have the tenant's last requests of the hour: a lost Mac is not locked later."""

ACTION_PATIENCE = 20.0
"""Seconds that a live action waits for its turn before it is given up unsent."""


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
    second, hour, share = (
        settings.mirror_requests_per_second,
        settings.mirror_requests_per_hour,
        background_per_hour(settings),
    )
    limiter = Limiter(settings.home, url, per_second=second, per_hour=hour, background_per_hour=share)
    shared = shared_budget(settings.budget_dir, url, per_second=second, per_hour=hour, background_per_hour=share)
    transport = HttpTransport(url, read_timeout=settings.mirror_read_timeout, ca_file=settings.mirror_ca_file)
    download = Download(url, read_timeout=settings.mirror_read_timeout, ca_file=settings.mirror_ca_file)
    with limiter, shared as machine, transport, download:
        quiet = settings.privacy.masks_agents
        budgets = [budget.background() if background else budget for budget in (limiter, machine) if budget]
        permits = Both(*budgets) if len(budgets) > 1 else budgets[0]
        send = transport if any_home else _Witness(transport, settings, url)
        client = _client(send, secret, permits, download, background=background, acting=acting, quiet=quiet)
        try:
            yield Connection(home.name_here(settings, url), url, client)
        finally:
            client.stop()


class _Witness:
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


def _client(
    transport: Send,
    secret: str,
    permits: Permits,
    download: Download,
    *,
    background: bool,
    acting: bool,
    quiet: bool,
) -> Client:
    if background:
        return Client(transport, secret, permits, fetch=download, floor=BACKGROUND_STOPS_BELOW, quiet=quiet)
    if acting:
        patience = ACTION_PATIENCE
        return Client(transport, secret, permits, fetch=download, floor=ACTION_FLOOR, patience=patience, quiet=quiet)
    return Client(transport, secret, permits, fetch=download, quiet=quiet)


def background_per_hour(settings: Settings) -> int:
    """Requests an hour that background work of all our processes may send together."""
    return PROVIDERS_HOUR * settings.mirror_background_share // 100
