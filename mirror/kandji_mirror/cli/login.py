"""``kandji-mirror login``: subdomain and token, verified with one request and stored."""

import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import tomlkit

from kandji_mirror.api.endpoint import KEYCHAIN, TOKEN_FILE, base_url, checked_token
from kandji_mirror.cli.output import tell
from kandji_mirror.connection import connect
from kandji_schema import secret_file
from kandji_schema.errors import ApiError, ConfigurationError, PermissionMissing, UsageError
from kandji_schema.settings import Settings, config_dir, load

_TENANT = ("subdomain", "region", "api_url")


@dataclass(frozen=True)
class Options:
    """What the command line says. ``tenant`` are the settings of the tenant that were given, by key."""

    tenant: Mapping[str, str]
    token_stdin: bool
    offline: bool
    keychain: bool


def log_in(options: Options) -> None:
    """Ask for what is missing, verify it unless ``offline``, store it. Where anything is wrong nothing is stored."""
    settings = _named(load(), options)
    url = base_url(settings)
    token = checked_token(_typed_token(options))
    if not options.offline:
        _verify(replace(settings, api_token=token))
    file = config_dir() / "config.toml"
    _store_tenant(file, {key: str(getattr(settings, key)) for key in _TENANT})
    place = _to_keychain(token) if options.keychain else _to_file(token)
    tell(f"{url} is stored in {file}, the token in {place}.")
    _tell_what_wins(settings)
    tell("Next: kandji-mirror doctor, kandji-mirror sync.")


def _named(settings: Settings, options: Options) -> Settings:
    """The settings of the tenant, asked for where nothing names one."""
    given: dict[str, Any] = dict(options.tenant)
    if "subdomain" in given or "region" in given:
        given.setdefault("api_url", "")
    named = replace(settings, **given)
    if named.subdomain or named.api_url:
        return named
    if not sys.stdin.isatty():
        raise UsageError("No tenant is named. Give --subdomain, the first part of https://<subdomain>.api.kandji.io.")
    return replace(named, subdomain=click.prompt("Subdomain (of https://<subdomain>.api.kandji.io)", err=True))


def _typed_token(options: Options) -> str:
    if options.token_stdin:
        return sys.stdin.readline(10_000)
    if not sys.stdin.isatty():
        raise UsageError("There is no terminal to ask for the token. Give it with --token-stdin on standard input.")
    return str(click.prompt("API token (not shown)", hide_input=True, err=True))


def _verify(settings: Settings) -> None:
    """One request. A token that may not list devices is still one the provider knows."""
    try:
        with connect(replace(settings, mirror_read_timeout=min(settings.mirror_read_timeout, 20.0))) as connection:
            connection.client.get("/api/v1/devices", [("limit", "1")])
    except PermissionMissing:
        tell("warning: the provider knows this token, but it may not list devices. `kandji-mirror doctor` tells more.")
    except ApiError as error:
        error.args = (f"{error} Nothing was stored; --offline stores without asking.",)
        raise


def _store_tenant(file: Path, values: Mapping[str, str]) -> None:
    """Put the values that are not empty into ``config.toml``, beside what is there."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        text = ""
    document = tomlkit.parse(text)  # load() has read it already, so it is TOML
    for key, value in values.items():
        if value:
            document[key] = value
        else:
            document.pop(key, None)
    secret_file.write(file, tomlkit.dumps(document).rstrip("\n"))


def _to_file(token: str) -> str:
    path = config_dir() / TOKEN_FILE
    secret_file.write(path, token)
    return f"{path} (mode 0600)"


def _to_keychain(token: str) -> str:
    try:
        import_module("keyring").set_password(*KEYCHAIN, token)
    except ModuleNotFoundError:
        raise ConfigurationError(
            "--keychain needs the extra: pip install 'kandji-mirror[keyring]'. Without --keychain a file is used."
        ) from None
    except Exception as error:  # no backend, locked, denied: each backend has errors of its own
        raise ConfigurationError(
            f"The OS keychain did not take the token ({type(error).__name__}). Without --keychain a file is used."
        ) from None
    with suppress(OSError):
        (config_dir() / TOKEN_FILE).unlink(missing_ok=True)  # it would win over the keychain
    return "the OS keychain"


def _tell_what_wins(settings: Settings) -> None:
    now = load()
    if now.api_token:
        tell("warning: KANDJI_API_TOKEN is set (environment, .env or config.toml) and wins over what was stored.")
    if any(getattr(now, key) != getattr(settings, key) for key in _TENANT):
        tell("warning: the environment or .env names another tenant and wins over what was stored.")
