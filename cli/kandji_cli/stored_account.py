"""The tenant in ``config.toml`` and its token in a file or the OS keychain: written together, and taken out again."""

from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import tomlkit

from kandji_cli.account import WHERE, Account
from kandji_cli.output import tell
from kandji_cli.service import installed
from kandji_cli.signals import held_signals
from kandji_mcp_server.clients import CLIENTS, NAME
from kandji_mirror.api.credentials import SERVICE, TokenPlaces, record, token_places
from kandji_mirror.store.lock import holder
from kandji_schema.errors import ConfigurationError
from kandji_schema.files import write_secret
from kandji_schema.folders import CONFIG_FILE, config_dir
from kandji_schema.home import mirrored
from kandji_schema.installation import how_to_add
from kandji_schema.profiles import TENANTS
from kandji_schema.settings import Settings, load

TENANT = ("subdomain", "region", "api_url")


def store(account: Account, *, keychain: bool) -> None:
    """Store both, or neither where it is ended meanwhile, and say where they are and what wins over them."""
    file = config_dir() / CONFIG_FILE
    name, places = account.settings.mirror_tenant, token_places(account.settings)
    with held_signals():
        kept = _to_keychain(account, places) if keychain else None  # first: it may refuse
        _store_tenant(file, name, {key: str(getattr(account.settings, key)) for key in TENANT})
        place = kept or _to_file(account, places)
    table = f"[{TENANTS}.{name}] of {file}" if name else file
    tell(f"{account.url} is stored in {table}, the token in {place}. It goes to this tenant only.")
    _tell_what_wins(account.settings)


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


def _to_file(account: Account, places: TokenPlaces) -> str:
    # first: of another token it counts for nothing
    write_secret(places.host_file, record(account.token, account.url))
    write_secret(places.file, account.token)
    return f"{places.file} (mode 0600)"


def _to_keychain(account: Account, places: TokenPlaces) -> str:
    try:
        keyring = import_module("keyring")
        keyring.set_password(SERVICE, places.host_user, record(account.token, account.url))
        keyring.set_password(SERVICE, places.user, account.token)
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
    if any(getattr(now, key) != getattr(settings, key) for key in TENANT):
        key = "api_url" if now.api_url else "subdomain"
        tell(f"warning: {now.origin(key).place} names another tenant and wins over what was stored.")


# -- taken out again -----------------------------------------------------------------------------------------------


def log_out() -> None:
    """Remove the tenant's stored token from file and keychain, and say what is still there and how that goes."""
    settings = load(doubtful=True)
    with held_signals():
        gone = list(_forget_token(token_places(settings)))
    if gone:
        tell(f"The token is removed from {' and '.join(gone)}. It is still good: delete it in {WHERE}, too.")
    else:
        tell("No token was stored.")
    tell("What is still there:", *(f"  {line}" for line in _remains(settings)))


def _forget_token(places: TokenPlaces) -> Iterator[str]:
    places.host_file.unlink(missing_ok=True)
    if places.file.is_file():
        places.file.unlink()
        yield str(places.file)
    with suppress(Exception):  # not installed, locked, no backend, nothing stored: nothing is there for us to remove
        keyring = import_module("keyring")
        if keyring.get_password(SERVICE, places.user) is not None:
            keyring.delete_password(SERVICE, places.user)
            yield "the OS keychain"
        keyring.delete_password(SERVICE, places.host_user)


def _remains(settings: Settings) -> Iterator[str]:
    """Say what a logout leaves, each with what takes it away."""
    home = settings.home
    if settings.api_token:
        yield f"KANDJI_API_TOKEN in {settings.origin('api_token').place}, which is used as before: remove it there."
    if found := holder(home):
        yield f"Process {found.pid}, which syncs with the token that it has read: end it."
    if service := installed():
        system = "" if service.is_relative_to(Path.home()) else " --system"
        yield f"The service in {service}: `kandji-mirror service remove{system}` ends it."
    if whose := mirrored(home):
        yield f"The mirror of {whose} in {home}: `kandji-mirror reset --tenant {whose} --delete` deletes it."
    if (config_dir() / CONFIG_FILE).is_file():
        yield f"Settings in {config_dir() / CONFIG_FILE}, with the tenant's name: delete the folder {config_dir()}."
    for client in filter(lambda client: client.files, CLIENTS):
        with suppress(OSError, ValueError):
            if NAME in client.path().read_text(encoding="utf-8"):
                yield f"The entry {NAME} of {client.title} in {client.path()}: remove it there."
    yield f"Counts of requests in {settings.budget_dir}, and the record of live actions in {home}: delete the folders."
    yield "The program: `pipx uninstall kandji-mirror`, `uv tool uninstall kandji-mirror`, or as it was installed."
