"""``checks.toml`` as it may leave the machine: without the secrets that stand in the file itself."""

import tomllib
from pathlib import Path
from typing import Any

import tomlkit

from kandji_schema.folders import CHECKS_FILE

_OPEN = frozenset(("kind", "seconds", "host", "port", "security", "from", "to", "user", "path", "command"))
"""Keys of a target that hold no secret; any other does, also one that is misspelt."""

_REFERENCES = ("env:", "file:", "keyring:")


def without_secrets(home: Path) -> tuple[bytes | None, tuple[str, ...]]:
    """Return the file without comments and secrets, and what was taken out; None where there is none or it is no TOML.

    In the place of a secret stands the name of a variable of the environment, for whoever puts the file to use.
    """
    try:
        document = tomllib.loads((home / CHECKS_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None, ()
    except (OSError, ValueError) as error:
        return None, (f"{CHECKS_FILE}, which cannot be read ({type(error).__name__})",)
    taken: list[str] = []
    targets = document.get("target")
    for name, target in targets.items() if isinstance(targets, dict) else ():
        taken += _take_out(str(name), target)
    return tomlkit.dumps(document).encode(), tuple(taken)


def _take_out(name: str, target: Any) -> list[str]:
    if not isinstance(target, dict):
        return []
    secret = [
        key
        for key, value in target.items()
        if key not in _OPEN and not (isinstance(value, str) and value.startswith(_REFERENCES))
    ]
    for key in secret:
        target[key] = f"env:{_variable(name, key)}"
    return [f"{key} of target {name} in {CHECKS_FILE}" for key in secret]


def _variable(name: str, key: str) -> str:
    return "_".join("".join(c if c.isascii() and c.isalnum() else "_" for c in part).upper() for part in (name, key))
