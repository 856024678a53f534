"""Which proxy a URL is asked through: what the environment says, else what the system is set to.

The rules are ours, since neither httpx nor urllib reads NO_PROXY as people write it: a range such as ``fd00::/8`` ends
the one with an error, the other takes no ranges at all.
"""

import ipaddress
import os
import re
from collections.abc import Iterator, Mapping
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

from kandji_schema.errors import ConfigurationError
from kandji_schema.provider import is_loopback

KINDS = ("http", "https", "socks5", "socks5h")
"""What a proxy may be; ``socks`` is another way to write ``socks5``."""

_ALIASES = {"socks": "socks5"}
_PORTS = {"http": 80, "https": 443}
_AN_ENTRY = re.compile(r"[\s,;]+")
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def proxy_of(url: str, environment: Mapping[str, str] | None = None) -> str | None:
    """Return the URL of the proxy that ``url`` is to be asked through; None where it is asked directly.

    ``<SCHEME>_PROXY``, else ``ALL_PROXY``, lower case before upper case; a host of ``NO_PROXY`` and this machine are
    asked directly. Where the environment names no proxy at all, the settings of macOS and Windows count. An entry of
    ``NO_PROXY`` that nobody can read fits no host. :class:`ConfigurationError` for a proxy that would be used and
    cannot be.
    """
    parts = urlsplit(url)
    if is_loopback(url) or not parts.hostname:
        return None
    found = os.environ if environment is None else environment
    if not any(_named(found)):
        return _of_the_system(parts) if environment is None else None
    if _is_excepted(parts, _value(found, "no_proxy")):
        return None
    for name in (f"{parts.scheme}_proxy", "all_proxy"):
        if value := _value(found, name):
            return _checked(name.upper(), value)
    return None


def _named(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield the proxies that the environment names, for whatever scheme."""
    return (_value(environment, name) for name in ("http_proxy", "https_proxy", "all_proxy"))


def _value(environment: Mapping[str, str], name: str) -> str:
    """Return a variable without blanks; an empty one in lower case overrules the one in upper case, as in curl."""
    return environment.get(name, environment.get(name.upper(), "")).strip()


def _of_the_system(parts: SplitResult) -> str | None:
    """Return what macOS or Windows is set to; nothing elsewhere."""
    found = getproxies()
    value = found.get(parts.scheme) or found.get("all")
    if not value or proxy_bypass(parts.hostname or ""):
        return None
    return _checked("The proxy of the system", value)


def _checked(name: str, value: str) -> str:
    """Return the proxy as a URL that httpx takes. The value is never shown: a password may be in it."""
    scheme, mark, rest = value.partition("://")
    kind = _ALIASES.get(scheme.lower(), scheme.lower()) if mark else "http"
    if kind not in KINDS:
        raise _unusable(name, f"it must begin with one of {', '.join(f'{kind}://' for kind in KINDS)}")
    url = f"{kind}://{rest if mark else value}"
    try:
        parts = urlsplit(url)
        whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if not whole or re.search(r"[^\x21-\x7e]|\\", url):
        raise _unusable(name, "it must be the URL of a proxy, such as http://proxy.example:3128")
    return url.rstrip("/")


def _unusable(name: str, rule: str) -> ConfigurationError:
    return ConfigurationError(
        f"{name} cannot be used: {rule}. Correct it, remove it, or name the API's host in NO_PROXY."
    )


# -- hosts that are asked directly ---------------------------------------------------------------------------------


def _is_excepted(parts: SplitResult, exceptions: str) -> bool:
    host = (parts.hostname or "").rstrip(".")
    port = _port(parts)
    return any(_fits(entry.lower(), host, port) for entry in _AN_ENTRY.split(exceptions) if entry)


def _port(parts: SplitResult) -> int | None:
    return parts.port or _PORTS.get(parts.scheme)


def _fits(entry: str, host: str, port: int | None) -> bool:
    """Tell whether an entry means the host: ``*``, a domain, an address, a range of them, each perhaps with a port."""
    if entry == "*":
        return True
    name, wanted = _without_port(entry.partition("://")[2] or entry)
    if wanted is not None and wanted != port:
        return False
    address = _address(host)
    if address is not None:
        return _holds(name, address)
    domain = name.removeprefix("*").strip(".")
    return bool(domain) and (host == domain or host.endswith(f".{domain}"))


def _without_port(entry: str) -> tuple[str, int | None]:
    bracketed = re.fullmatch(r"\[([^\]]*)\](?::(\d+))?", entry)
    plain = re.fullmatch(r"([^:]+):(\d+)", entry)
    if found := bracketed or plain:
        return found[1], int(found[2]) if found[2] else None
    return entry, None


def _holds(range_of_addresses: str, address: _Address) -> bool:
    try:
        return address in ipaddress.ip_network(range_of_addresses, strict=False)
    except ValueError:
        return False


def _address(host: str) -> _Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
