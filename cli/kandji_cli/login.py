"""``kandji-mirror login``: tenant and token, verified with one request and stored."""

import os
import sys
from collections.abc import Mapping, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import tomlkit

from kandji_cli.output import tell
from kandji_mirror.api.credentials import SERVICE, TokenPlaces, checked_token, record, token_places
from kandji_mirror.api.endpoint import base_url
from kandji_mirror.connection import connect
from kandji_mirror.store.opening import move_aside
from kandji_schema.errors import (
    ApiError,
    AuthenticationError,
    ConfigurationError,
    NotConfirmed,
    PermissionMissing,
    UsageError,
)
from kandji_schema.files import write_secret
from kandji_schema.folders import CONFIG_FILE, config_dir
from kandji_schema.home import mirrored
from kandji_schema.installation import how_to_add
from kandji_schema.manifest import generations, nothing_mirrored
from kandji_schema.profiles import TENANTS
from kandji_schema.provider import OLD_DOMAIN, REGIONS, ProviderHost, pasted
from kandji_schema.settings import Settings, load
from kandji_schema.sources import Kind

_TENANT = ("subdomain", "region", "api_url")
_NO_FOLDER = Path(os.devnull)
"""In place of the working directory: a ``.env`` there must not say where a token goes that is typed now."""

_ATTEMPTS = 3
"""How often a person may type a token."""


@dataclass(frozen=True)
class Options:
    """What the command line says. ``tenant`` are the settings of the tenant that were given, by key."""

    tenant: Mapping[str, str]
    token_stdin: bool
    offline: bool
    keychain: bool


def log_in(options: Options) -> None:
    """Ask for what is missing, verify it unless ``offline``, store it. Where anything is wrong nothing is stored."""
    candidates = _candidates(load(folder=_NO_FOLDER, new=True), options.tenant)
    settings, token = _accepted(candidates, options)
    name, url, file = settings.mirror_tenant, base_url(settings), config_dir() / CONFIG_FILE
    _store_tenant(file, name, {key: str(getattr(settings, key)) for key in _TENANT})
    places = token_places(settings)
    place = _to_keychain(token, url, places) if options.keychain else _to_file(token, url, places)
    table = f"[{TENANTS}.{name}] of {file}" if name else file
    tell(f"{url} is stored in {table}, the token in {place}. It goes to this tenant only.")
    _tell_what_wins(settings)
    program = f"kandji-mirror --tenant {name}" if name else "kandji-mirror"
    tell(f"Next: {program} doctor, {program} sync.")


# -- the tenant ----------------------------------------------------------------------------------------------------


def _candidates(settings: Settings, options: Mapping[str, str]) -> Sequence[Settings]:
    """Return the tenant that is named or asked for; one for each region where that is to be found out.

    :class:`ConfigurationError` where what is named is no tenant.
    """
    given = {key: value.strip() for key, value in options.items()}
    if not (given.get("subdomain") or given.get("api_url") or settings.subdomain or settings.api_url):
        given["subdomain"] = _asked()
    host = _host(given)
    if host:
        regions = _regions(settings, host, given.get("region"))
        named = [_of_host(settings, host, region) for region in regions]
    else:
        named = [_as_given(settings, given)]
    for candidate in named:
        base_url(candidate)  # what is wrong with it is told before a token is asked for
    return named


def _asked() -> str:
    if not sys.stdin.isatty():
        raise UsageError("No tenant is named. Give --subdomain, the first part of https://<subdomain>.api.kandji.io.")
    return str(click.prompt("Subdomain (of https://<subdomain>.kandji.io)", err=True)).strip()


def _host(given: Mapping[str, str]) -> ProviderHost | None:
    """Return the provider's host that was typed or pasted; None where it is another's, or the API's whole URL."""
    typed = given.get("subdomain", "").rstrip("/")
    if typed and "." not in typed:
        found = pasted(f"{typed}.{OLD_DOMAIN}")
        return replace(found, region=None) if found else None
    found = pasted(typed or given.get("api_url", ""))
    return None if found is None or (not typed and found.api) else found


def _regions(settings: Settings, host: ProviderHost, given: str | None) -> Sequence[str]:
    """Return the region that is known from the command line, the name or the environment; else all there are."""
    of_environment = settings.region if settings.origin("region").kind is Kind.ENVIRONMENT else None
    known = given or host.region or of_environment
    return (known,) if known else REGIONS


def _of_host(settings: Settings, host: ProviderHost, region: str) -> Settings:
    if host.domain == OLD_DOMAIN:
        return settings.given(subdomain=host.label, region=region, api_url="")
    return settings.given(region=region, api_url=host.api_url(region))


def _as_given(settings: Settings, given: Mapping[str, Any]) -> Settings:
    whole: dict[str, Any] = {**given}
    if "subdomain" in whole or "region" in whole:
        whole.setdefault("api_url", "")
    return settings.given(**whole)


# -- the token -----------------------------------------------------------------------------------------------------


def _accepted(candidates: Sequence[Settings], options: Options) -> tuple[Settings, str]:
    """Return the tenant that knows the token; a person may type it again."""
    for attempt in range(1, _ATTEMPTS + 1):
        token = checked_token(_typed_token(options, candidates))
        if options.offline:
            return candidates[0], token
        try:
            return _verified(candidates, token), token
        except AuthenticationError as error:
            if options.token_stdin or attempt == _ATTEMPTS:
                raise
            tell(str(error))
    raise AssertionError  # the last attempt returns or raises


def _typed_token(options: Options, candidates: Sequence[Settings]) -> str:
    if options.token_stdin:
        return sys.stdin.readline(10_000)
    if not sys.stdin.isatty():
        raise UsageError("There is no terminal to ask for the token. Give it with --token-stdin on standard input.")
    tell(
        f"The token will be sent to {' or '.join(map(base_url, candidates))}. Make one in Settings > Access > API "
        "token, and tick reading of what is to be mirrored; `kandji-mirror doctor` then names what is missing."
    )
    return str(click.prompt("API token (not shown)", hide_input=True, err=True))


def _verified(candidates: Sequence[Settings], token: str) -> Settings:
    """Return the first that answers; one that knows the token but forbids the question only where no other does."""
    urls, errors, forbidden = [base_url(candidate) for candidate in candidates], [], []
    for url, candidate in zip(urls, candidates, strict=True):
        if len(candidates) > 1:
            tell(f"The region is not known; trying {url}.")
        try:
            _verify(candidate.given(api_token=token))
        except PermissionMissing:
            forbidden.append(candidate)
        except (ApiError, AuthenticationError) as error:
            errors.append(error)
        else:
            return candidate
    if forbidden:
        tell("warning: the provider knows this token, but it may not list devices. `kandji-mirror doctor` tells more.")
        return forbidden[0]
    raise _not_verified(urls, errors)


def _not_verified(urls: Sequence[str], errors: Sequence[ApiError | AuthenticationError]) -> Exception:
    tried = " and ".join(urls)
    if any(isinstance(error, AuthenticationError) for error in errors):
        return AuthenticationError(
            f"{tried} did not accept this token (401): it is wrong, revoked, or of another tenant or region. Copy it "
            "again, or make a new one in Settings > Access > API token. Nothing was stored."
        )
    also = f" Tried {tried}." if len(urls) > 1 else ""
    errors[0].args = (f"{errors[0]}{also} Nothing was stored; --offline stores without asking.",)
    return errors[0]


def _verify(settings: Settings) -> None:
    """Send one request. A token that may not list devices is still one the provider knows."""
    patience = min(settings.mirror_read_timeout, 20.0)
    with connect(replace(settings, mirror_read_timeout=patience), any_home=True) as connection:
        connection.client.get("/api/v1/devices", [("limit", "1")])


# -- where it is kept ----------------------------------------------------------------------------------------------


def _store_tenant(file: Path, name: str, values: Mapping[str, str]) -> None:
    """Put the values that are not empty into ``config.toml``, or its table of that name, beside what is there."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        text = ""
    document = tomlkit.parse(text)  # load() has read it already, so it is TOML
    table = _table(document, name) if name else document
    for key, value in values.items():
        if value:
            table[key] = value
        else:
            table.pop(key, None)
    write_secret(file, tomlkit.dumps(document).rstrip("\n"))


def _table(document: tomlkit.TOMLDocument, name: str) -> MutableMapping[str, Any]:
    """Return the table of a tenant, made where there is none; upper case in its name is nothing of its own."""
    if TENANTS not in document:
        document.add(TENANTS, tomlkit.table(is_super_table=True))
    tables: MutableMapping[str, Any] = document[TENANTS]
    found = next((key for key in tables if key.strip().lower() == name), name)
    if found not in tables:
        tables[found] = tomlkit.table()
    table: MutableMapping[str, Any] = tables[found]
    return table


def _to_file(token: str, url: str, places: TokenPlaces) -> str:
    write_secret(places.host_file, record(token, url))  # first: of another token it counts for nothing
    write_secret(places.file, token)
    return f"{places.file} (mode 0600)"


def _to_keychain(token: str, url: str, places: TokenPlaces) -> str:
    try:
        keyring = import_module("keyring")
        keyring.set_password(SERVICE, places.host_user, record(token, url))
        keyring.set_password(SERVICE, places.user, token)
    except ModuleNotFoundError:
        raise ConfigurationError(
            f"--keychain needs the extra `keyring`, which is not installed here: {how_to_add('keyring')}. Without "
            "--keychain a file is used."
        ) from None
    except Exception as error:  # no backend, locked, denied: each backend has errors of its own
        raise ConfigurationError(
            f"The OS keychain did not take the token ({type(error).__name__}). Without --keychain a file is used."
        ) from None
    with suppress(OSError):
        places.file.unlink(missing_ok=True)  # it would win over the keychain
        places.host_file.unlink(missing_ok=True)
    return "the OS keychain"


def _tell_what_wins(settings: Settings) -> None:
    now = load(doubtful=True)
    if now.api_token:
        tell(f"warning: KANDJI_API_TOKEN is set in {now.origin('api_token').place} and wins over what was stored.")
    if any(getattr(now, key) != getattr(settings, key) for key in _TENANT):
        key = "api_url" if now.api_url else "subdomain"
        tell(f"warning: {now.origin(key).place} names another tenant and wins over what was stored.")


def reset(tenant: str | None, *, delete: bool) -> None:
    """Move the mirror aside, or delete it, once its tenant was named; nothing is sent to anyone."""
    home = load().home
    name = mirrored(home) or ("unreadable" if generations(home) else None)
    if name is None:
        raise nothing_mirrored(home)
    if tenant is None:
        tenant = _typed(str(home), name, delete=delete)
    if tenant != name:
        raise UsageError(f"{home} mirrors the tenant {name!r}, not {tenant!r}. Nothing was moved.")
    target = move_aside(home, delete=delete)
    if target is None:
        tell(f"The mirror of {name} is deleted.")
    else:
        tell(f"The mirror of {name} is in {target} now. Set KANDJI_MIRROR_HOME to that folder to read it.")


def _typed(home: str, name: str, *, delete: bool) -> str:
    if not sys.stdin.isatty():
        raise NotConfirmed(f"There is no terminal to confirm it at. Say whose mirror it is: --tenant {name}.")
    tell(f"The mirror of {name} in {home} will be {'deleted' if delete else 'moved aside'}.")
    return str(click.prompt("Type the name of the tenant to go on", default="", show_default=False, err=True))
