"""The provider: the numbers of its contract, which host a tenant answers on, and which tenant a host belongs to.

The provider is called Iru and was called Kandji; both domains serve the same API. A tenant is the first label of the
host. Its API is on ``acme.api.kandji.io`` or ``acme.api.iru.com``, in Europe on ``acme.api.eu.…``; people know the web
app, ``acme.kandji.io``, ``acme.eu.kandji.io`` or ``acme.iru.com``, which has no region in its name.
"""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from kandji_schema.errors import ConfigurationError

REQUESTS_PER_SECOND, REQUESTS_PER_HOUR = 50, 10_000
"""What a tenant may be asked, all its tokens together."""

PAGE_ROWS = 300
"""Rows of a full page: the most that nearly every list allows, and what it sends where the provider chooses."""

OLD_DOMAIN, NEW_DOMAIN = "kandji.io", "iru.com"
REGIONS = ("us", "eu")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_TOKEN = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""What the provider's tokens look like: one that was pasted in place of the tenant is no host to be asked for."""

_REST = re.compile(r"(?:eu|us|api|api\.(?:eu|us)|clients\.[a-z0-9-]+)?")
"""What may stand between the tenant and the domain."""

BACKGROUND_SLOWS_BELOW = 4_000
"""With fewer requests left to the tenant in its hour the background takes half its share, and settles no doubts."""

BACKGROUND_STOPS_BELOW = 2_000
"""With fewer, work that nobody waits for stops: the tenant's other tokens need some."""

_NO_TENANT = {"api", "clients", "eu", "us", "www", "app", "support"}
"""First labels of the provider's own hosts."""


@dataclass(frozen=True)
class ProviderHost:
    """A host of the provider. ``region`` is None where the name does not tell; ``api`` is False for the web app."""

    label: str
    domain: str
    region: str | None
    api: bool

    def api_url(self, region: str) -> str:
        """Return where its API is, in that region."""
        return f"https://{self.label}.api{'.eu' if region == 'eu' else ''}.{self.domain}"


def url_of(subdomain: str, region: str, api_url: str) -> str:
    """Return scheme and host of the API, without path and without a slash at the end, from the settings of these names.

    :class:`ConfigurationError` where they name none, or one that the token must not go to.
    """
    if api_url.strip():
        return _checked_url(api_url.strip(), region)
    if not subdomain.strip():
        raise ConfigurationError(
            "No tenant is set. `kandji-mirror init` asks for it. Or set KANDJI_SUBDOMAIN to the first part of "
            "https://<subdomain>.api.kandji.io (and KANDJI_REGION=eu for the European service), or "
            "run `kandji-mirror demo` to try a simulated tenant."
        )
    return ProviderHost(_checked_label(subdomain), OLD_DOMAIN, region, api=True).api_url(region)


def pasted(text: str) -> ProviderHost | None:
    """Find the host that someone typed or copied from a browser, in any form; None where it is not the provider's."""
    bare = re.sub(r"^[a-z]+://", "", text.strip().lower())
    host = re.split(r"[/?#]", bare, maxsplit=1)[0].rstrip(".")
    return provider_host(host) if re.fullmatch(r"[a-z0-9.-]+", host) else None


def provider_host(host: str) -> ProviderHost | None:
    """Return the parts of a host of the provider; None for any other, and for those that are no tenant's."""
    labels = host.lower().rstrip(".").split(".")
    domain, inner = ".".join(labels[-2:]), labels[:-2]
    if domain not in {OLD_DOMAIN, NEW_DOMAIN} or not inner or not _may_be_tenant(inner[0]):
        return None
    rest = inner[1:]
    if not _REST.fullmatch(".".join(rest)):
        return None
    named = next((part[:2] for part in rest if part[:2] in REGIONS), None)
    api = bool({"api", "clients"} & set(rest))
    silent = None if domain == NEW_DOMAIN and not api else "us"
    return ProviderHost(inner[0], domain, named or silent, api)


def tenant_name(base_url: str) -> str:
    """Return the name of the tenant: its label at the provider, else the whole host; ``loopback`` if simulated."""
    host = urlsplit(base_url).hostname or ""
    if is_loopback(base_url):
        return "loopback"
    found = provider_host(host)
    return found.label if found else host


def former_name(base_url: str) -> str:
    """Return the name that earlier versions gave the tenant of a host that is not the provider's."""
    host = urlsplit(base_url).hostname or ""
    return tenant_name(base_url) if address_of(host) else host.split(".")[0]


def same_tenant(one: str, other: str) -> bool:
    """Tell whether two base URLs lead to one tenant of the provider, or are the same."""
    return one_address(one) == one_address(other)


def one_address(base_url: str) -> str:
    """Return the same URL for all that lead to one tenant of the provider; any other as it is."""
    parts = urlsplit(base_url)
    found = provider_host(parts.hostname or "")
    if found is None or parts.scheme != "https" or parts.port:
        return base_url
    return ProviderHost(found.label, OLD_DOMAIN, found.region, api=True).api_url(found.region or "us")


def is_loopback(base_url: str) -> bool:
    """Tell whether the host is this machine: 127.0.0.0/8, ``::1`` or ``localhost``."""
    host = urlsplit(base_url).hostname or ""
    address = address_of(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def is_sealed(url: str) -> bool:
    """Tell whether nobody on the way can read what is sent to a URL: it is https, or http to this machine."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(url)))
    except ValueError:
        return False


def address_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address that a host is written as; None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _may_be_tenant(label: str) -> bool:
    return bool(_LABEL.fullmatch(label)) and label not in _NO_TENANT and not _TOKEN.fullmatch(label)


def _checked_label(subdomain: str) -> str:
    label = subdomain.strip().lower()
    if _may_be_tenant(label):
        return label
    if re.search(r":[^/@]+@", label) or _TOKEN.search(label):
        raise ConfigurationError(
            "KANDJI_SUBDOMAIN seems to hold a password or a token; it must be one DNS label such as `acme`."
        )
    found = pasted(label)
    guess = found.label if found else (_LABEL.match(re.sub(r"^[a-z]+://", "", label)) or [""])[0]
    hint = f"; did you mean {guess}?" if guess and guess not in _NO_TENANT else "."
    if found and found.domain != OLD_DOMAIN:  # the label alone would lead to the other domain
        hint = f"; set KANDJI_API_URL={found.api_url(found.region or 'us')} instead."
    raise ConfigurationError(
        f"KANDJI_SUBDOMAIN is {subdomain!r}; it must be one DNS label such as `acme`, without dots and slashes{hint}"
    )


def _checked_url(raw: str, region: str) -> str:
    parts = _split(raw)
    origin = f"{parts.scheme}://{parts.netloc.lower()}"
    if parts.scheme == "http" and not is_loopback(origin):
        raise _wrong_url("plain http would show the token to the network; use https (http is for loopback only)")
    return _to_the_api(origin, parts.hostname or "", region)


def _to_the_api(origin: str, host: str, region: str) -> str:
    """Return the API's address for that of the web app; a host of the provider without a tenant is refused."""
    found = provider_host(host)
    if found is None and re.search(rf"(?:^|\.)(?:{re.escape(OLD_DOMAIN)}|{re.escape(NEW_DOMAIN)})\.?$", host):
        raise _wrong_url(f"{host} is the provider's own host and names no tenant")
    return origin if found is None or found.api else found.api_url(found.region or region)


def _split(raw: str) -> SplitResult:
    """Return the parts of a base URL that has nothing but scheme, host, port and perhaps ``/api/v1``."""
    try:
        parts = urlsplit(raw)
        parts.port  # noqa: B018  # raises where the port is no number
    except ValueError:
        raise _wrong_url("it is not a URL") from None
    rules = (
        (parts.scheme in {"https", "http"}, "it must begin with https://"),
        (bool(parts.hostname) and re.search(r"[^\x21-\x7e]|\\", raw) is None, "it has no valid host name"),
        ("@" not in parts.netloc, "it must not hold a user name or password"),
        (not parts.query and not parts.fragment, "it must have neither ? nor #"),
        (parts.path.rstrip("/") in {"", "/api/v1"}, "it must be the host alone, without a path"),
    )
    for kept, rule in rules:
        if not kept:
            raise _wrong_url(rule)
    return parts


def _wrong_url(rule: str) -> ConfigurationError:
    # The value is not shown: what people paste into a URL may be a credential.
    return ConfigurationError(f"KANDJI_API_URL: {rule}. Example: https://acme.api.kandji.io")
