"""Which tenant, and with which token: both read from the settings."""

import ipaddress
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from kandji_schema import secret_file
from kandji_schema.errors import ConfigurationError, Rejected
from kandji_schema.settings import Settings, config_dir

KEYCHAIN = ("kandji-mirror", "api-token")
"""Service and user name of the token in the OS keychain."""

TOKEN_FILE = "token"  # noqa: S105  # the name of a file
_API_DOMAINS = {"us": "api.kandji.io", "eu": "api.eu.kandji.io"}
_PROVIDER = re.compile(r"(?:^|\.)(?:kandji\.io|iru\.com)$")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_BEARER = re.compile(r"bearer\s+", re.IGNORECASE)


def base_url(settings: Settings) -> str:
    """Scheme and host of the API, without path and without a slash at the end."""
    if settings.api_url:
        return _checked_url(settings.api_url.strip())
    if not settings.subdomain:
        raise ConfigurationError(
            "No tenant is set. Set KANDJI_SUBDOMAIN to the first part of https://<subdomain>.api.kandji.io "
            "(and KANDJI_REGION=eu for the European service), or run `kandji-mirror demo` to try a simulated tenant."
        )
    return f"https://{_checked_label(settings.subdomain)}.{_API_DOMAINS[settings.region]}"


def tenant_name(base_url: str) -> str:
    """The tenant's short name, the same for every host name of one tenant; ``loopback`` for a simulated one."""
    host = urlsplit(base_url).hostname or ""
    if is_loopback(base_url):
        return "loopback"
    return host if _address(host) else host.split(".")[0]


def is_loopback(base_url: str) -> bool:
    """Whether the host is this machine: 127.0.0.0/8, ``::1`` or ``localhost``."""
    host = urlsplit(base_url).hostname or ""
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def setting_of(base_url: str) -> str:
    """The setting to look at where the host does not answer: the one that names hosts of this kind."""
    return "KANDJI_SUBDOMAIN" if _PROVIDER.search(urlsplit(base_url).hostname or "") else "KANDJI_API_URL"


def signed_url(url: str, api_url: str) -> SplitResult:
    """The parts of a URL the provider gave for a download; :class:`Rejected` where it is not to be asked.

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
    address = _address(parts.hostname)
    if (is_loopback(url) or (address is not None and not address.is_global)) and not is_loopback(api_url):
        raise _not_fetched("leads into a private network")
    return parts


def _not_fetched(reason: str) -> Rejected:
    return Rejected(f"The provider's address of a download {reason}. Nothing was sent.")


def token(settings: Settings, *, folder: Path | None = None, keychain: Callable[[], str | None] | None = None) -> str:
    """The API token: from the settings, else the file ``token`` in ``folder``, else the OS keychain.

    ``folder`` is the configuration folder unless given; ``keychain`` answers the stored token or None.
    """
    path = (folder or config_dir()) / TOKEN_FILE
    found = settings.api_token or secret_file.read(path) or (keychain or _from_keychain)()
    if not found:
        raise ConfigurationError(
            "No API token. `kandji-mirror login` asks for it and stores it. Or set KANDJI_API_TOKEN (environment, .env "
            f"or config.toml), or put the token into {path} (mode 0600), or store it in the OS keychain as service "
            "kandji-mirror, user api-token."
        )
    return checked_token(found)


def token_source(settings: Settings) -> str:
    """Where :func:`token` finds it, in words."""
    path = config_dir() / TOKEN_FILE
    if settings.api_token:
        return "KANDJI_API_TOKEN (environment, .env or config.toml)"
    return str(path) if path.is_file() else "the OS keychain"


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _checked_label(subdomain: str) -> str:
    label = subdomain.strip().lower()
    if _LABEL.fullmatch(label):
        return label
    guess = _LABEL.match(re.sub(r"^[a-z]+://", "", label))
    hint = f"; did you mean {guess[0]}?" if guess else "."
    raise ConfigurationError(
        f"KANDJI_SUBDOMAIN is {subdomain!r}; it must be one DNS label such as `acme`, without dots and slashes{hint}"
    )


def _checked_url(raw: str) -> str:
    parts = _split(raw)
    origin = f"{parts.scheme}://{parts.netloc.lower()}"
    if parts.scheme == "http" and not is_loopback(origin):
        raise _wrong_url("plain http would show the token to the network; use https (http is for loopback only)")
    _refuse_web_app(parts.hostname or "")
    return origin


def _split(raw: str) -> SplitResult:
    """The parts of a base URL that has nothing but scheme, host, port and perhaps ``/api/v1``."""
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


def _refuse_web_app(host: str) -> None:
    labels = host.split(".")
    if _PROVIDER.search(host) and not {"api", "clients"} & set(labels[1:]):
        domain = "eu.kandji.io" if "eu" in labels[1:] else "kandji.io"
        raise ConfigurationError(
            f"KANDJI_API_URL: {host} is the web app, not the API. Use https://{labels[0]}.api.{domain}"
        )


def _from_keychain() -> str | None:
    try:
        stored = import_module("keyring").get_password(*KEYCHAIN)
    except Exception:  # not installed, locked, no backend: each means there is no token here
        return None
    return stored if isinstance(stored, str) else None


def checked_token(raw: str) -> str:
    """The token without space around it and without ``Bearer``; :class:`ConfigurationError` where it cannot be one."""
    value = _BEARER.sub("", raw.strip(), count=1) if _BEARER.match(raw.strip()) else raw.strip()
    if not value or re.search(r"[^\x21-\x7e]", value):
        raise ConfigurationError(
            "The API token holds spaces, control characters or letters beyond ASCII, so it was not copied whole. "
            "Copy it again from Settings > Access > API token."
        )
    return value
