"""Which tenant the settings name, and where else its answers may send us."""

import re
from urllib.parse import SplitResult, urlsplit

from kandji_mirror.api.private_networks import is_private
from kandji_schema.errors import Rejected
from kandji_schema.provider import address_of, is_loopback, provider_host, url_of
from kandji_schema.settings import Settings


def base_url(settings: Settings) -> str:
    """Scheme and host of the API, without path and without a slash at the end."""
    return url_of(settings.subdomain, settings.region, settings.api_url)


def setting_of(base_url: str) -> str:
    """The setting to look at where the host does not answer: the one that names hosts of this kind."""
    return "KANDJI_SUBDOMAIN" if provider_host(urlsplit(base_url).hostname or "") else "KANDJI_API_URL"


def signed_url(url: str, api_url: str) -> SplitResult:
    """The parts of a URL the provider gave for a download; :class:`Rejected` where it is not to be asked.

    It may lead anywhere over https, but not to an address of a private network or of this machine. Only from an API on
    this machine it may lead to it, also over plain http.
    """
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # raises where the port is no number
    except ValueError:
        raise not_fetched("is no URL") from None
    local = is_loopback(url) and is_loopback(api_url)
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise not_fetched("does not begin with https://")
    if not parts.hostname or "@" in parts.netloc or re.search(r"[^\x21-\x7e]|\\", url):
        raise not_fetched("has no plain host name")
    address = address_of(parts.hostname)
    if (is_loopback(url) or (address is not None and is_private(address))) and not is_loopback(api_url):
        raise not_fetched("leads into a private network")
    return parts


def not_fetched(reason: str) -> Rejected:
    """The refusal of an address that the provider gave for a download."""
    return Rejected(f"The provider's address of a download {reason}. Nothing was sent.")
