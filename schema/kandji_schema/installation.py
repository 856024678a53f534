"""What is installed here: the version, what it stands on, and how an extra that is missing is added to it.

The version stands once, in ``pyproject.toml``; what is installed carries it as metadata. ``importlib.metadata`` takes
10 ms to import, which a SQL query does not pay: it is imported where it is asked.
"""

import shlex
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kandji_schema.store_version import STORE_VERSION

NAME = "kandji-mirror"

EXTRAS: Mapping[str, str] = {
    "charts": "vl-convert-python",
    "keyring": "keyring",
    "socks": "socksio",
    "xlsx": "xlsxwriter",
}
"""Each extra that people choose, and the distribution that it installs; a test holds it against ``pyproject.toml``."""

_RECEIPT = "uv-receipt.toml"
_PIPX = "pipx_metadata.json"


def mirror_version() -> str:
    """Return the version of kandji-mirror, such as ``0.1.0``."""
    return _version_of(NAME)


def versions() -> Mapping[str, str]:
    """Return what decides how a mirror is written and read: ours, DuckDB's, Python's, and the version of the store."""
    python = ".".join(map(str, sys.version_info[:3]))
    return {NAME: mirror_version(), "duckdb": _version_of("duckdb"), "python": python, "store": str(STORE_VERSION)}


def version_line() -> str:
    """Return :func:`versions` in words: ``version 0.1.0 (DuckDB 2.0.0, Python 3.12.1, store version 2)``."""
    found = versions()
    others = f"DuckDB {found['duckdb']}, Python {found['python']}, store version {found['store']}"
    return f"version {found[NAME]} ({others})"


def installed_extras() -> Mapping[str, str | None]:
    """Return each extra with the version of what it installs, None where that is not there."""
    from importlib.metadata import PackageNotFoundError

    found: dict[str, str | None] = {}
    for extra, distribution in EXTRAS.items():
        try:
            found[extra] = _version_of(distribution)
        except PackageNotFoundError:
            found[extra] = None
    return found


def how_to_add(extra: str, prefix: Path | None = None) -> str:
    """Return the command that adds an extra to this installation, as pipx, uv or pip made it.

    ``prefix`` is the environment's folder, by default that of this process.
    """
    folder = prefix or Path(sys.prefix)
    if (folder / _PIPX).is_file():
        return f"pipx inject {NAME} {shlex.quote(_requirement(extra))}"
    if (folder / _RECEIPT).is_file():
        return " ".join(["uv tool install", *_of_receipt(folder / _RECEIPT, extra)])
    return f"pip install '{NAME}[{extra}]'"


def _version_of(distribution: str) -> str:
    from importlib.metadata import version

    return version(distribution)


def _requirement(extra: str) -> str:
    """Return what our metadata asks for under an extra, with its bounds: ``xlsxwriter<4,>=3.2``."""
    from importlib.metadata import requires

    asked = [line.partition(";") for line in requires(NAME) or ()]
    marked = (spec.strip() for spec, _, marker in asked if marker.split() == ["extra", "==", f"'{extra}'"])
    return next(marked, EXTRAS[extra])


def _of_receipt(receipt: Path, extra: str) -> Iterator[str]:
    """Say what uv is to install: it leaves out whatever a new call does not name, so all that was asked for is named.

    A version that was asked for is not: the newest is what has the extra's bounds.
    """
    try:
        asked = tomllib.loads(receipt.read_text(encoding="utf-8"))["tool"]["requirements"]
        ours = next(entry for entry in asked if entry["name"] == NAME)
        others = [str(entry["name"]) for entry in asked if entry["name"] != NAME]
    except (OSError, ValueError, LookupError, TypeError, StopIteration):
        ours, others = {}, []
    wanted = ",".join(sorted({extra, *ours.get("extras", ())}))
    yield shlex.quote(f"{NAME}[{wanted}]{_source(ours)}")
    yield from (f"--with {shlex.quote(name)}" for name in others)


def _source(entry: Mapping[str, Any]) -> str:
    found = next((str(entry[key]) for key in ("path", "url") if key in entry), "")
    return f" @ {found}" if found else ""
