"""What a name on the command line may be, for the Tab key: read from files as they lie there, in milliseconds.

Nothing here opens a mirror, sends something or imports an engine. Each function is a ``shell_complete`` of click; where
something cannot be read it offers less, and never fails.
"""

import os
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import wraps
from importlib.util import find_spec
from pathlib import Path

import click

Offer = Callable[[click.Context, click.Parameter, str], list[str]]

_TABLE = re.compile(r'^\s+__tablename__ = "(\w+)"', re.MULTILINE)
_HEADER = re.compile(r"(?:--.*\n)+")
_PARAMETER = re.compile(r"^--\s?param:\s*(?P<name>\w+)\s+(?P<kind>\w+)\s*(?:\((?P<values>[^()]*)\))?", re.MULTILINE)


def _offering(names: Callable[[click.Context, str], Iterable[str]]) -> Offer:
    """Make of names a ``shell_complete``: those that begin as what is typed, each once, in order."""

    @wraps(names)
    def offered(context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
        found: list[str] = []
        with suppress(Exception):  # whatever is wrong there is told by the command itself
            found += names(context, typed)
        return [name for name in dict.fromkeys(found) if name.lower().startswith(typed.lower())]

    return offered


def _folder(package: str, *below: str) -> Path:
    """Return a folder of one of our packages, without importing it."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(package)
    return Path(spec.submodule_search_locations[0], *below)


def _stems(folder: Path, ending: str) -> list[str]:
    return sorted(path.stem for path in folder.glob(f"*{ending}"))


def _own_queries() -> Path:
    from kandji_schema.settings import load  # only this needs the home

    return load(doubtful=True).home / "queries"


def _query_files() -> Iterator[Path]:
    yield from sorted(_folder("kandji_queries", "sql").glob("*.sql"))
    with suppress(Exception):  # without a home there are ours
        yield from sorted(_own_queries().glob("*.sql"))


def _tables() -> Iterator[str]:
    for file in sorted(_folder("kandji_schema", "tables").glob("*.py")):
        yield from _TABLE.findall(file.read_text(encoding="utf-8"))


def _views() -> list[str]:
    return _stems(_folder("kandji_queries", "views"), ".sql")


@_offering
def tables(_context: click.Context, _typed: str) -> Iterable[str]:
    """Offer tables."""
    return sorted(_tables())


@_offering
def relations(_context: click.Context, _typed: str) -> Iterable[str]:
    """Offer tables and views."""
    return sorted([*_tables(), *_views()])


@_offering
def queries(_context: click.Context, _typed: str) -> Iterable[str]:
    """Offer named queries, ours and one's own."""
    return (file.stem for file in _query_files())


@_offering
def names(_context: click.Context, _typed: str) -> Iterable[str]:
    """Offer all that has a description: tables, views, queries, macros."""
    macros = _stems(_folder("kandji_queries", "macros"), ".sql")
    return sorted([*_tables(), *_views(), *macros, *(file.stem for file in _query_files())])


@_offering
def parameters(context: click.Context, typed: str) -> Iterable[str]:
    """Offer ``name=`` of the parameters of the query that is named, or ``name=value`` of one with few values."""
    words = {context.params.get("name"), *os.environ.get("COMP_WORDS", "").split()}  # click stops reading at a bare -p
    file = next(file for file in _query_files() if file.stem in words)
    header = _HEADER.match(file.read_text(encoding="utf-8"))
    entries = re.sub(r"\n--\s{2,}", " ", header[0] if header else "")
    wanted = typed.partition("=")[0] if "=" in typed else None
    for entry in _PARAMETER.finditer(entries):
        if wanted is None:
            yield f"{entry['name']}="
        elif entry["name"] == wanted:
            values = "true, false" if entry["kind"] == "bool" else entry["values"] or ""
            yield from (f"{wanted}={value.strip()}" for value in values.split(",") if value.strip())


@_offering
def clients(_context: click.Context, _typed: str) -> Iterable[str]:
    """Offer AI clients."""
    from kandji_mcp_server.clients.records import CLIENTS

    return (client.name for client in CLIENTS)


@_offering
def tenants(_context: click.Context, _typed: str) -> Iterable[str]:
    """Offer the profiles of ``config.toml``."""
    from kandji_schema.folders import CONFIG_FILE, config_dir
    from kandji_schema.profiles import TENANTS

    return sorted(tomllib.loads((config_dir() / CONFIG_FILE).read_text(encoding="utf-8-sig")).get(TENANTS, {}))


@_offering
def checks(_context: click.Context, _typed: str) -> Iterable[str]:
    """Offer built-in checks."""
    return _stems(_folder("kandji_watch", "built_in"), ".toml")


@_offering
def frameworks(_context: click.Context, _typed: str) -> Iterable[str]:
    """Offer frameworks of evidence."""
    return _stems(_folder("kandji_queries", "evidence", "frameworks"), ".toml")


@_offering
def maps(_context: click.Context, _typed: str) -> Iterable[str]:
    """Offer maps of assets."""
    return _stems(_folder("kandji_queries", "export", "maps"), ".toml")


@_offering
def commands(context: click.Context, _typed: str) -> Iterable[str]:
    """Offer the commands below those that are named already."""
    found = context.find_root().command
    for word in context.params.get("names") or ():
        found = found.get_command(context, word) or found if isinstance(found, click.Group) else found
    return found.list_commands(context) if isinstance(found, click.Group) else ()
