"""A client for the configured tenant: its host, its token, and the budget all processes share."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from kandji_mirror.api.budget import Limiter
from kandji_mirror.api.client import Client
from kandji_mirror.api.endpoint import base_url, tenant_name, token
from kandji_mirror.api.http import HttpTransport
from kandji_schema.settings import Settings


@dataclass(frozen=True)
class Connection:
    """``tenant`` is the name a home is bound to, ``url`` the API's base URL."""

    tenant: str
    url: str
    client: Client


@contextmanager
def connect(settings: Settings) -> Iterator[Connection]:
    """Read host and token from the settings; :class:`ConfigurationError` before anything is sent."""
    url = base_url(settings)
    secret = token(settings)
    limiter = Limiter(
        settings.home,
        url,
        per_second=settings.mirror_requests_per_second,
        per_hour=settings.mirror_requests_per_hour,
    )
    transport = HttpTransport(url, read_timeout=settings.mirror_read_timeout, ca_file=settings.mirror_ca_file)
    with limiter, transport:
        client = Client(transport, secret, limiter)
        try:
            yield Connection(tenant_name(url), url, client)
        finally:
            client.stop()
