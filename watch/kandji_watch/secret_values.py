"""Secrets of targets: webhook addresses and passwords. They are named in ``checks.toml``, looked up when they are used.

A reference is ``env:NAME`` (a variable of the environment), ``file:/path`` (a file of mode 0600) or ``keyring:NAME``
(the OS keychain, service ``kandji-mirror``). Anything else is the secret itself, which may stand in ``checks.toml``
where nobody else may read that file. No secret is printed, logged, or kept in what is remembered of checks.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from kandji_schema.errors import ConfigurationError
from kandji_schema.files import OTHERS, read_secret
from kandji_watch.place import NUL, Place, Table

SERVICE = "kandji-mirror"
"""Service of the secrets in the OS keychain."""

REFERENCE = "env:NAME, file:/path, keyring:NAME, or the secret itself where only you may read checks.toml"


@dataclass(frozen=True)
class Secret:
    """One secret as it is named; ``what`` tells of it in errors, such as ``url of target ops``."""

    what: str
    named: str = field(repr=False)

    @property
    def is_literal(self) -> bool:
        """Whether it stands in the file itself."""
        return not self.named.startswith(("env:", "file:", "keyring:"))

    @property
    def told(self) -> str:
        """Say where it is, never what."""
        return "checks.toml" if self.is_literal else self.named

    def value(self, environment: Mapping[str, str] | None = None) -> str:
        """Return the secret; :class:`ConfigurationError` where it is not there, which names no part of it."""
        kind, _, name = self.named.partition(":")
        if self.is_literal:
            return self.named.strip()
        found = _SOURCES[kind](name, os.environ if environment is None else environment)
        if not found:
            raise ConfigurationError(
                f"{self.what}: there is nothing at {self.named}. Put it there, or correct the name."
            )
        return found.strip()


def read_secret_key(place: Place, table: Table, key: str, *, private: bool) -> Secret:
    """Return the secret that a key names; ``private``: nobody else may read the file, so it may stand there itself."""
    value = table.get(key)
    if value is None:
        raise place.missing(key, REFERENCE)
    if not isinstance(value, str) or not value.strip() or NUL in value:
        raise place.secret(key, REFERENCE)
    secret = Secret(f"{key} of {place.part}", value)
    if secret.is_literal and not private:
        raise ConfigurationError(
            f"{place.path}, {place.part}: {key} stands in the file itself, and others may read it. Run: chmod 600 "
            f"'{place.path}', or write env:NAME, file:/path or keyring:NAME."
        )
    return secret


def is_private(path: Path) -> bool:
    """Tell whether nobody else may read a file."""
    return os.name != "posix" or not path.stat().st_mode & OTHERS


def _from_environment(name: str, environment: Mapping[str, str]) -> str | None:
    return environment.get(name)


def _from_file(name: str, _: Mapping[str, str]) -> str | None:
    return read_secret(Path(name).expanduser())


def _from_keychain(name: str, _: Mapping[str, str]) -> str | None:
    try:
        found = import_module("keyring").get_password(SERVICE, name)
    except Exception:  # not installed, locked, no backend: each means there is none here
        return None
    return found if isinstance(found, str) else None


_SOURCES = {"env": _from_environment, "file": _from_file, "keyring": _from_keychain}
