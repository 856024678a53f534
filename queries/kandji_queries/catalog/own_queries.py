"""Named queries of one's own: ``.sql`` files in the folder ``queries`` of the data directory.

A file is written like ours (:mod:`kandji_queries.catalog.queries`) and its name is that of the query. It is read only
where nobody else could have written it, its statement is guarded as anyone's is, and it cannot take the name of a query
of ours. One that is wrong is told with its line and rule, and takes no other along.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kandji_queries import sql_files
from kandji_queries.catalog.bounds import LEFT_OUT
from kandji_queries.catalog.queries import KEYS, NamedQuery, catalog, from_file
from kandji_schema.errors import ConfigurationError, UnknownName
from kandji_schema.ownership import flaw
from kandji_schema.sql import fold_name

OWN_KEYS = KEYS - LEFT_OUT - {"like", "since"}
"""Entries of a header; the others are about queries of ours."""

MOST = 500
"""Files that are read; a folder with more holds something else."""

LARGEST = 100_000
"""Bytes of a file; a statement may have 20,000 characters."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")


@dataclass(frozen=True)
class OwnQueries:
    """The queries of a folder by name, and for each file that is none what is wrong with it."""

    queries: Mapping[str, NamedQuery]
    broken: Mapping[str, str]


def own_folder(home: Path) -> Path:
    """Return the folder of a mirror's own queries."""
    return home / "queries"


def own_queries(home: Path) -> OwnQueries:
    """Read the folder of a mirror, as it is now."""
    found: dict[str, NamedQuery] = {}
    broken: dict[str, str] = {}
    try:
        paths = sorted(path for path in own_folder(home).iterdir() if path.suffix == ".sql")
    except FileNotFoundError:
        paths = []
    except OSError as error:
        return OwnQueries({}, {own_folder(home).name: f"{own_folder(home)} cannot be read: {error.strerror}."})
    for path in paths[:MOST]:
        try:
            query = read_own(path)
            found[query.name] = query
        except ConfigurationError as error:
            broken[path.stem] = str(error)
    if len(paths) > MOST:
        broken[own_folder(home).name] = f"{own_folder(home)} has {len(paths):,} files; the first {MOST} are read."
    return OwnQueries(found, broken)


def read_own(path: Path) -> NamedQuery:
    """Read one file; :class:`ConfigurationError` names file, line and rule, or who else may write it."""
    if not path.is_file():
        raise ConfigurationError(f"{path} is no file. Name a .sql file.")
    if trouble := flaw(path):
        raise ConfigurationError(f"{path.name} is not used: {trouble}")
    if path.stat().st_size > LARGEST:
        raise ConfigurationError(f"{path.name} has {path.stat().st_size:,} bytes; a query has {LARGEST:,} at most.")
    if not _NAME.fullmatch(path.stem):
        raise ConfigurationError(
            f"{path.name}: the name of a query is a small letter, then small letters, digits and _, 60 at most. "
            "Rename the file."
        )
    if path.stem in catalog():
        raise ConfigurationError(f"{path.name}: there is a query of ours with that name. Rename the file.")
    try:
        return from_file(sql_files.read(path, OWN_KEYS))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path.name} cannot be read: it is no text in UTF-8, or not yours.") from error


def find_query(home: Path, name: str) -> NamedQuery:
    """Return the query of that name, ours or one's own; :class:`UnknownName` with the nearest names of both.

    :class:`ConfigurationError` where its file is wrong.
    """
    folded = fold_name(name.strip())
    if folded in catalog():
        return catalog()[folded]
    own = own_queries(home)
    if folded in own.queries:
        return own.queries[folded]
    if folded in own.broken:
        raise ConfigurationError(own.broken[folded])
    raise UnknownName("query", name, [*catalog(), *own.queries])
