"""Who may connect to ``serve``, after the settings: on which address, with which token, under which names."""

import hmac
import ipaddress
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from kandji_mcp_server.http.oauth import OAuthRules, read_rules
from kandji_schema.errors import ConfigurationError
from kandji_schema.files import read_secret, write_new_secret
from kandji_schema.folders import METRICS_TOKEN_FILE, config_dir, http_token_file
from kandji_schema.settings import Settings

SHORTEST = 24
"""Characters. 24 random ones of base64 are 144 bits."""

RANDOM_BYTES = 32
"""Of a token that is made here."""

MAKE_ONE = """python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"""

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")

_HOST = re.compile(r"(?:\[[0-9a-f:.]+\]|[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?)(?::[0-9]{1,5})?")


@dataclass(frozen=True)
class Access:
    """``token`` is None where the first start of ``serve`` is still to make it; ``token_file`` is where it then is.

    ``people`` are the rules for those who sign in at an identity provider, None where none is set; with them there may
    be no token at all. ``hosts`` and ``origins`` are the headers ``Host`` and ``Origin`` that are let in, where ``:*``
    is any port or none. ``metrics_token`` opens `/metrics` alone, None where there is none.
    """

    host: str
    port: int
    token: str | None = field(repr=False)
    hosts: tuple[str, ...]
    origins: tuple[str, ...]
    token_file: Path
    people: OAuthRules | None = None
    metrics_token: str | None = field(default=None, repr=False)


def read_access(settings: Settings, *, folder: Path | None = None, make_token: bool = False) -> Access:
    """Return what the settings allow. ``folder`` of the tenant's token file is the configuration folder unless given.

    Everyone needs the token, on this machine too: its other users reach loopback as well. ``make_token`` makes one
    where there is none and nobody signs in elsewhere. :class:`ConfigurationError` for a token that is too short, names
    that are none, and where other machines could connect without a token or under any name.
    """
    host = settings.mirror_http_host
    people = read_rules(settings)
    named = [_host(name) for name in _comma_separated(settings.mirror_http_allowed_hosts)]
    if people:
        named += _names_of(people, named)
    pages = tuple(_origin(name) for name in _comma_separated(settings.mirror_http_allowed_origins))
    below = folder or config_dir()
    file = below / http_token_file(settings.mirror_tenant)
    known = known_token(settings.mirror_http_token, file)
    if not people:
        _refuse_open_doors(host, named, pages, known, file)
    elif not is_loopback(host):
        _refuse_nameless(host, named)
    if known is None and make_token and not people:
        known = make_token_file(file)
    hosts = [*LOOPBACK_HOSTS, *named]
    return Access(
        host=host,
        port=settings.mirror_http_port,
        token=known,
        hosts=tuple(spelling for name in hosts for spelling in _spellings(name)),
        origins=(*(f"http://{name}:*" for name in LOOPBACK_HOSTS), *pages),
        token_file=file,
        people=people,
        metrics_token=_metrics_token(settings, below / METRICS_TOKEN_FILE, known),
    )


def _metrics_token(settings: Settings, file: Path, token: str | None) -> str | None:
    """Return the token that opens the metrics alone; it may not be the one that opens everything."""
    found = known_token(settings.mirror_metrics_token, file, "KANDJI_MIRROR_METRICS_TOKEN")
    if found and token and hmac.compare_digest(found.encode(), token.encode()):
        raise ConfigurationError(
            f"KANDJI_MIRROR_METRICS_TOKEN (or the file {file}) is the token of the server itself, which opens "
            f"everything. Make another one: {MAKE_ONE}"
        )
    return found


def is_loopback(host: str) -> bool:
    """Tell whether an address to listen on can be reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _refuse_open_doors(host: str, named: list[str], pages: tuple[str, ...], known: str | None, file: Path) -> None:
    local = is_loopback(host)
    if not known and (named or pages or not local):
        reached = f"listen on {host}" if not local else f"be reached as {', '.join((*named, *pages))}"
        raise ConfigurationError(
            f"`serve` is to {reached}, so it needs a bearer token: everyone there could read the fleet. Set "
            f"KANDJI_MIRROR_HTTP_TOKEN, or put one into {file} (mode 0600). Make one: "
            f"{MAKE_ONE}"
        )
    if not local:
        _refuse_nameless(host, named)


def _names_of(people: OAuthRules, named: list[str]) -> Iterable[str]:
    """Return the host of the URL that people's clients use: a name that is let in, as if it were listed."""
    host = urlsplit(people.resource).hostname or ""
    return [] if host in {*named, *(name.strip("[]") for name in LOOPBACK_HOSTS)} else [_host(host)]


def _refuse_nameless(host: str, named: list[str]) -> None:
    if not named:
        raise ConfigurationError(
            f"`serve` is to listen on {host}, so it needs the names clients may use: set "
            "KANDJI_MIRROR_HTTP_ALLOWED_HOSTS, such as mirror.example.com or 10.0.0.5."
        )


def _comma_separated(names: str) -> Iterable[str]:
    return filter(None, (name.strip().lower() for name in names.split(",")))


def _host(name: str) -> str:
    bare = f"[{name}]" if name.count(":") > 1 and not name.startswith("[") else name
    if not _HOST.fullmatch(bare):
        raise ConfigurationError(
            f"KANDJI_MIRROR_HTTP_ALLOWED_HOSTS names {name!r}; it must be a host with or without a port, such as "
            "mirror.example.com, without https:// and without *."
        )
    return bare


def _origin(name: str) -> str:
    parts = urlsplit(name)
    if parts.scheme not in {"http", "https"} or not _HOST.fullmatch(parts.netloc) or parts.path.strip("/"):
        raise ConfigurationError(
            f"KANDJI_MIRROR_HTTP_ALLOWED_ORIGINS names {name!r}; it must be a scheme and a host, such as "
            "https://portal.example.com, without a path and without *."
        )
    return f"{parts.scheme}://{parts.netloc}"


def _spellings(host: str) -> tuple[str, ...]:
    """Return the spellings of a host; one that names no port may be asked on any."""
    return (host,) if re.search(r":[0-9]+$", host) and not host.endswith("]") else (host, f"{host}:*")


def known_token(setting: str, file: Path, name: str = "KANDJI_MIRROR_HTTP_TOKEN") -> str | None:
    """Return the token there is; None where there is none yet. :class:`ConfigurationError` for one that is no good."""
    found = setting or read_secret(file)
    if found is None:
        return None
    if len(found) < SHORTEST or re.search(r"[^\x21-\x7e]", found):
        raise ConfigurationError(
            f"{name} (or the file {file}) must hold at least {SHORTEST} characters without "
            f"spaces, all of ASCII. Make one: {MAKE_ONE}"
        )
    return found


def make_token_file(file: Path) -> str:
    """Make a random token, in its file. Of several processes that make one at once all get the same."""
    write_new_secret(file, secrets.token_urlsafe(RANDOM_BYTES))
    found = known_token("", file)
    if found is None:
        raise ConfigurationError(f"{file} holds nothing. Remove it, and `serve` makes a token anew.")
    return found
