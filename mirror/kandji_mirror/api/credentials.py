"""The API token: where it is found, and which tenant it may go to.

A token in a setting goes where its own source says, which :mod:`kandji_schema.trust` sees to. A stored one belongs to
the tenant it was stored for: `login` writes down its host beside it, with a fingerprint of the token, so that a token
that was put there by hand since is not taken for that one. Without such a record it belongs to the tenant that the
owner's ``config.toml`` names, or else the environment; never to one that a file of the working directory names.

Each tenant with a name has files, and an entry of the keychain, of its own, and never looks at another's.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from kandji_mirror.api.endpoint import base_url
from kandji_schema.errors import ConfigurationError
from kandji_schema.files import read_secret
from kandji_schema.folders import config_dir, token_file
from kandji_schema.profiles import TENANTS
from kandji_schema.provider import same_tenant
from kandji_schema.settings import Settings
from kandji_schema.sources import Kind

SERVICE = "kandji-mirror"
"""Name of our entries in the OS keychain."""

HOST_FILE = "token_host"


@dataclass(frozen=True)
class TokenPlaces:
    """Where the token of a tenant is stored, and the record of its host: in files, or as users of the keychain."""

    file: Path
    host_file: Path
    user: str
    host_user: str


def token_places(settings: Settings, folder: Path | None = None) -> TokenPlaces:
    """Return the places of the tenant; below the configuration folder unless another is given."""
    place, name = folder or config_dir(), settings.mirror_tenant
    file = place / token_file(name)
    ending = f"/{name}" if name else ""
    host_file = file.with_name(f"{name}.host") if name else place / HOST_FILE
    return TokenPlaces(file, host_file, f"api-token{ending}", f"api-token-host{ending}")


_BEARER = re.compile(r"\Abearer(?:\s+|\Z)", re.IGNORECASE)
_AROUND = " \t\r\n\ufeff"
"""What may stand around a token in a file: editors of Windows begin a file with a mark of their own."""


@dataclass(frozen=True)
class _Stored:
    """``host`` is what the record beside the token says, None where there is none or it is of another token."""

    token: str
    place: str
    host: str | None


def token(settings: Settings, *, folder: Path | None = None, keychain: Callable[[], str | None] | None = None) -> str:
    """Return the API token: from the settings, else the tenant's file in ``folder``, else the OS keychain.

    ``folder`` is the configuration folder unless given; ``keychain`` answers the stored token or None.
    :class:`ConfigurationError` where there is none, or none that may go to the tenant that the settings name.
    """
    if settings.api_token:
        return checked_token(settings.api_token)
    url, elsewhere = _address(settings), list(settings.provenance.withheld)
    for stored in _all_stored(settings, folder, keychain):
        owner = _owner(stored, settings, url)
        if url is None or (owner is not None and same_tenant(owner, url)):
            return checked_token(stored.token)
        elsewhere.append(f"the token in {stored.place} (for {owner})" if owner else f"the token in {stored.place}")
    raise ConfigurationError(_withheld(settings, str(url), elsewhere) if elsewhere else _missing(settings, folder))


def token_source(settings: Settings) -> str:
    """Say where :func:`token` finds it."""
    if settings.api_token:
        return f"KANDJI_API_TOKEN in {settings.origin('api_token').place}"
    path = token_places(settings).file
    return str(path) if path.is_file() else "the OS keychain"


def record(token: str, url: str) -> str:
    """Return what is written down beside a stored token: which one it is, and the host it was stored for."""
    return f"{_fingerprint(token)} {url}"


def checked_token(raw: str) -> str:
    """Return the token without space, mark or ``Bearer`` around it; :class:`ConfigurationError` where it is none."""
    value = _BEARER.sub("", raw.strip(_AROUND), count=1).strip()
    if not value:
        raise ConfigurationError("The API token is empty. Copy it from Settings > Access > API token.")
    if re.search(r"[^\x21-\x7e]", value):
        raise ConfigurationError(
            "The API token holds spaces, control characters or letters beyond ASCII, so it was not copied whole. "
            "Copy it again from Settings > Access > API token."
        )
    return value


def _all_stored(
    settings: Settings, folder: Path | None, keychain: Callable[[], str | None] | None
) -> Iterator[_Stored]:
    places = _places(settings, folder)
    if places and (found := read_secret(places.file)):
        yield _Stored(found, str(places.file), _recorded(found, read_secret(places.host_file)))
    if places is None:
        places = token_places(settings, Path())  # the keychain has no folder
    kept = keychain() if keychain else _from_keychain(places.user)
    if kept:
        host = None if keychain else _from_keychain(places.host_user)
        yield _Stored(kept, "the OS keychain", _recorded(kept, host))


def _owner(stored: _Stored, settings: Settings, url: str | None) -> str | None:
    """Return the address a stored token belongs to."""
    trusted = {settings.origin(key).kind for key in ("subdomain", "api_url")}.isdisjoint({Kind.FOLDER})
    return stored.host or settings.provenance.owners or (url if trusted else None)


def _recorded(token: str, text: str | None) -> str | None:
    fingerprint, _, host = (text or "").partition(" ")
    return host.strip() or None if fingerprint == _fingerprint(token) else None


def _fingerprint(token: str) -> str:
    return hashlib.sha256(token.strip().encode()).hexdigest()[:32]


def _address(settings: Settings) -> str | None:
    try:
        return base_url(settings)
    except ConfigurationError:
        return None  # told where it is used; there is nothing to send a token to


def _places(settings: Settings, folder: Path | None) -> TokenPlaces | None:
    try:
        return token_places(settings, folder)
    except ConfigurationError:
        return None


def _missing(settings: Settings, folder: Path | None) -> str:
    places, name = _places(settings, folder), settings.mirror_tenant
    by_hand = f"or put the token into {places.file} (mode 0600), " if places else ""
    keychain = f"or store it in the OS keychain as service {SERVICE}, user {token_places(settings, Path()).user}."
    if name:
        return (
            f"No API token of the tenant {name}. `kandji-mirror --tenant {name} login` asks for it and stores it. Or "
            f"set api_token in [{TENANTS}.{name}] of config.toml, {by_hand}{keychain}"
        )
    return (
        "No API token. `kandji-mirror login` asks for it and stores it. Or set KANDJI_API_TOKEN (environment or "
        f"config.toml; or .env, beside KANDJI_SUBDOMAIN), {by_hand}{keychain}"
    )


def _withheld(settings: Settings, url: str, elsewhere: list[str]) -> str:
    key, name = "api_url" if settings.api_url else "subdomain", settings.mirror_tenant
    if name:
        return (
            f"[{TENANTS}.{name}] of config.toml names {url}, and no token belongs to it: {', '.join(elsewhere)} was "
            f"kept back, as a token goes only to the tenant it was stored for. `kandji-mirror --tenant {name} login` "
            "stores another. Nothing was sent."
        )
    return (
        f"KANDJI_{key.upper()} in {settings.origin(key).place} names {url}, and no token belongs to it. A token goes "
        f"only to the tenant it was stored for, or that its own source names; {', '.join(elsewhere)} was kept back. "
        f"Remove KANDJI_{key.upper()} there, or put KANDJI_API_TOKEN beside it, or run `kandji-mirror login`. "
        "Nothing was sent."
    )


def _from_keychain(user: str) -> str | None:
    try:
        stored = import_module("keyring").get_password(SERVICE, user)
    except Exception:  # not installed, locked, no backend: each means there is no token here
        return None
    return stored if isinstance(stored, str) else None
