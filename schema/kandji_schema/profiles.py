"""Profiles: several tenants of one user, each by a name, in tables ``[tenants.NAME]`` of ``config.toml``.

Who names a profile (``--tenant``, ``KANDJI_MIRROR_TENANT``) gets address and tokens of its table and of its own files
alone: what the environment, a ``.env`` or the top of ``config.toml`` say of a tenant is of another one, and does not
count. So no token reaches another tenant's host, whatever folder or environment a command is started in. All other
settings of the top are defaults for every profile, and a folder there has a folder for each.

A name is part of file names, of addresses of ``serve`` and of command lines, so it is a plain word. Upper case is
folded: many file systems do not tell it from lower case.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePath

from kandji_schema.errors import ConfigurationError, UsageError
from kandji_schema.folders import TENANTS_FOLDER

TENANTS = "tenants"
"""Key of ``config.toml``."""

TENANT = "KANDJI_MIRROR_TENANT"
"""The setting that names a profile."""

ALL = "all"
"""In place of names: every profile."""

BOUND = (
    "KANDJI_SUBDOMAIN",
    "KANDJI_REGION",
    "KANDJI_API_URL",
    "KANDJI_API_TOKEN",
    "KANDJI_MIRROR_HTTP_TOKEN",
    "KANDJI_MIRROR_OAUTH_RESOURCE",
    "KANDJI_MIRROR_OAUTH_AUDIENCE",
)
"""Settings that are one tenant's: a profile has them of its own table or not at all."""

FOLDERS = ("KANDJI_MIRROR_HOME", "KANDJI_MIRROR_EXPORT_DIR")
"""Settings of folders: where they are not of the profile's own table, it has a folder below."""

LONGEST = 40

_NAME = re.compile(rf"[a-z0-9](?:[a-z0-9_-]{{0,{LONGEST - 2}}}[a-z0-9])?")
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10))}
_RESERVED = {
    *(ALL, "mcp", "health", "healthz", "readyz", "metrics", "assets", "favicon", "static", "api", "pictures", "values"),
    *("sign-in", "sign-out", "tables", "queries", "sql", "status", "search", "devices", "changes", "compliance"),
    *_DEVICES,
}
"""What means something else: every profile, a path of ``serve``, a device of Windows."""


def folded(name: str, where: str = "") -> str:
    """Return the name of a profile as files and addresses have it; :class:`ConfigurationError` for none.

    ``where`` tells who names it.
    """
    word = name.strip().lower() if name.isascii() else ""  # the sign of kelvin has a lower case, which is a k
    if _NAME.fullmatch(word) and word not in _RESERVED:
        return word
    rule = (
        f"it must be 1 to {LONGEST} letters a to z, digits, - and _, with a letter or digit at both ends"
        if word not in _RESERVED
        else "that word means something else; it must be another one"
    )
    raise ConfigurationError(f"{name[:80]!a} cannot be the name of a tenant{where}: {rule}. Example: acme")


def tables_of(path: str, found: object) -> Mapping[str, Mapping[str, object]]:
    """Return what ``config.toml`` has below ``tenants``, by folded name; :class:`ConfigurationError` for other things.

    A table for which a value alone was given, or one that two names stand for, is an error.
    """
    if not isinstance(found, Mapping):
        raise ConfigurationError(f"{path}: `tenants` must be tables, each with settings, such as [tenants.acme].")
    tables: dict[str, Mapping[str, object]] = {}
    for name, table in found.items():
        word = folded(str(name), f" in {path}")
        if not isinstance(table, Mapping):
            raise ConfigurationError(f"{path}: `tenants.{word}` must be a table with settings: [tenants.{word}].")
        if word in tables:
            raise ConfigurationError(f"{path} has two tenants {word!r}: upper and lower case are one. Rename one.")
        tables[word] = table
    return tables


def own_folder_below(folder: object, name: str) -> str:
    """Return the folder of a profile below one that all share."""
    return str(PurePath(str(folder), TENANTS_FOLDER, name))


def shared_folder(folder: str) -> str:
    """Return the folder that all share, of the one that a profile has below it."""
    return str(PurePath(folder).parent.parent)


def chosen(text: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return the profiles that a list names, ``acme,beta`` or ``all``, each once and in order.

    :class:`UsageError` for a name there is not, and where there is none at all.
    """
    there = tuple(known)
    if not there:
        raise UsageError(f"{text[:80]!a} names tenants, and config.toml has none. {HOW}")
    words = [word.strip().lower() for word in text.split(",") if word.strip()]
    if words == [ALL]:
        return there
    for word in words:
        if word not in there:
            raise UsageError(f"There is no tenant {word[:80]!a}. There are: {', '.join(there)}; or all.")
    if not words:
        raise UsageError(f"No tenant is named. There are: {', '.join(there)}; or all.")
    return tuple(dict.fromkeys(words))


HOW = "`kandji-mirror --tenant NAME login` makes one."
"""How there comes to be a profile."""


def unknown(name: str, known: Iterable[str], source: str) -> ConfigurationError:
    """Make the error of a profile that there is not; ``source`` is who names it."""
    there = ", ".join(known) or "none"
    return ConfigurationError(
        f"There is no tenant {name!r} in config.toml, which {source} names. There are: {there}. "
        f"`kandji-mirror --tenant {name} login` makes it."
    )


def which(known: Iterable[str]) -> str:
    """Say that a profile has to be named, and which there are."""
    names = tuple(known)
    return (
        f"Which tenant? config.toml has {', '.join(names)}. Name one: kandji-mirror --tenant {names[0]} COMMAND, or "
        f'{TENANT}={names[0]} in the environment; or mirror_tenant = "{names[0]}" at the top of config.toml, for all '
        "commands that name none."
    )
