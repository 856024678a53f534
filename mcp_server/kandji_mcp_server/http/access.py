"""Who may connect: on which address, with which token, under which names, from which web pages."""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from kandji_schema import secret_file
from kandji_schema.errors import ConfigurationError
from kandji_schema.settings import Settings, config_dir

TOKEN_FILE = "http_token"  # noqa: S105  # the name of a file
SHORTEST_TOKEN = 24
"""Characters. 24 random ones of base64 are 144 bits."""

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")

_MAKE_ONE = """python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"""
_HOST = re.compile(r"(?:\[[0-9a-f:.]+\]|[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?)(?::[0-9]{1,5})?")


@dataclass(frozen=True)
class Access:
    """``token`` is None where none is asked for.

    ``hosts`` and ``origins`` are the headers ``Host`` and ``Origin`` that are let in, where ``:*`` is any port;
    ``pages`` are those origins that browsers are told of (CORS).
    """

    host: str
    port: int
    token: str | None = field(repr=False)
    hosts: tuple[str, ...]
    origins: tuple[str, ...]
    pages: tuple[str, ...]


def access(settings: Settings, *, folder: Path | None = None) -> Access:
    """What the settings allow. ``folder`` of the file ``http_token`` is the configuration folder unless given.

    :class:`ConfigurationError` for a token that is too short, names that are none, and where other machines could
    connect without a token or under any name.
    """
    host = settings.mirror_http_host
    named = [_host(name) for name in _listed(settings.mirror_http_allowed_hosts)]
    pages = tuple(_origin(name) for name in _listed(settings.mirror_http_allowed_origins))
    token = _token(settings, (folder or config_dir()) / TOKEN_FILE)
    _refuse_open_doors(host, named, pages, token)
    hosts = [*LOOPBACK_HOSTS, *named]
    return Access(
        host=host,
        port=settings.mirror_http_port,
        token=token,
        hosts=tuple(spelling for name in hosts for spelling in _spellings(name)),
        origins=(*(f"http://{name}:*" for name in LOOPBACK_HOSTS), *pages),
        pages=pages,
    )


def is_loopback(host: str) -> bool:
    """Whether an address to listen on can be reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _refuse_open_doors(host: str, named: list[str], pages: tuple[str, ...], token: str | None) -> None:
    local = is_loopback(host)
    if not token and (named or pages or not local):
        reached = f"listen on {host}" if not local else f"be reached as {', '.join((*named, *pages))}"
        raise ConfigurationError(
            f"`serve` is to {reached}, so it needs a bearer token: everyone there could read the fleet. Set "
            f"KANDJI_MIRROR_HTTP_TOKEN, or put one into {config_dir() / TOKEN_FILE} (mode 0600). Make one: {_MAKE_ONE}"
        )
    if not local and not named:
        raise ConfigurationError(
            f"`serve` is to listen on {host}, so it needs the names clients may use: set "
            "KANDJI_MIRROR_HTTP_ALLOWED_HOSTS, such as mirror.example.com or 10.0.0.5."
        )


def _token(settings: Settings, path: Path) -> str | None:
    found = settings.mirror_http_token or secret_file.read(path)
    if found is None:
        return None
    if len(found) < SHORTEST_TOKEN or re.search(r"[^\x21-\x7e]", found):
        raise ConfigurationError(
            f"KANDJI_MIRROR_HTTP_TOKEN (or the file {path}) must hold at least {SHORTEST_TOKEN} characters without "
            f"spaces, all of ASCII. Make one: {_MAKE_ONE}"
        )
    return found


def _listed(names: str) -> Iterable[str]:
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
    """A host that names no port may be asked on any."""
    return (host,) if re.search(r":[0-9]+$", host) and not host.endswith("]") else (host, f"{host}:*")
