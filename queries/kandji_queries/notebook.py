"""The notebook API: a DuckDB connection to the mirror for notebooks and scripts.

It is an ordinary connection with every table, view and macro of the mirror, so ``.df()``, ``.pl()``, ``.arrow()`` and
whatever else DuckDB offers work on it. It can only read: the views are in a database file that is opened read-only
and has no name any more, the data files are attached read-only, and then the file system, extensions and the
configuration are locked as for everybody's statements. Temporary tables can be made; they are the connection's own.
"""

import os
import shutil
import tempfile
import warnings
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import duckdb

from kandji_queries import definitions
from kandji_queries.compliance.rule_set import RuleFile
from kandji_queries.engine.lockdown import CONFIG, LOCKDOWN
from kandji_queries.engine.query_engine import QueryEngine
from kandji_queries.relations import EVENTS
from kandji_schema import database
from kandji_schema.home import refuse_foreign
from kandji_schema.manifest import data_dir, newest_whole
from kandji_schema.settings import load
from kandji_schema.sql import identifier, literal
from kandji_schema.utc import aware_utc

MEMORY_MB = 4_096

Config = Mapping[str, str | int | float | list[str]]


def connect(
    home: str | Path | None = None, *, memory_mb: int = MEMORY_MB, threads: int | None = None
) -> duckdb.DuckDBPyConnection:
    """Return a connection that reads the mirror in ``home``, by default the configured one.

    It stays on the state that is newest now; connect again for a later one. :func:`mirrored_at` tells how old it is.
    ``memory_mb`` and ``threads`` (all processors, if None) bound it and cannot be changed later. Warns where an older
    state is used than the newest, or a view cannot be made. Raises :class:`NothingMirrored`, :class:`StoreDamaged`, and
    :class:`ConfigurationError` where the configured home is another tenant's than the configured one.
    """
    settings = load()
    for remark in settings.provenance.remarks:
        if remark.grave:
            warnings.warn(remark.text, stacklevel=2)
    if home is None:
        refuse_foreign(settings)
    place = Path(home).expanduser() if home is not None else settings.home
    config: Config = {**CONFIG, "memory_limit": f"{memory_mb}MB", "threads": threads or os.cpu_count() or 1}
    folder = Path(tempfile.mkdtemp(prefix="kandji-mirror-"))
    try:
        file = folder / "mirror.duckdb"
        rules, masked = RuleFile(place, settings.mirror_compliance_file), settings.privacy.masks_people
        attached = _catalog(file, config, place, rules, masked=masked)
        return _sealed(file, config, attached)
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # an open file lives on without its name


def mirrored_at(connection: duckdb.DuckDBPyConnection) -> dict[str, datetime | None]:
    """Return for each table when its rows were read from the provider, aware UTC; None where it was never synced.

    The view ``freshness`` tells more: what went wrong, and when the rows are due.
    """
    found = connection.execute("SELECT table_name, synced_at FROM freshness").fetchall()
    return {table: moment and aware_utc(moment) for table, moment in found}


def _catalog(file: Path, config: Config, home: Path, rules: RuleFile, *, masked: bool) -> dict[str, str]:
    """Write views and macros into a database file; return the paths of the data files they read, by name there."""
    manifest, older = newest_whole(home, masked=masked)
    tables = {*manifest.tables, *definitions.views(), EVENTS}
    base = database.connect(config=dict(config))
    base.execute(
        f"ATTACH {literal(file)} AS mirror (RECOVERY_MODE no_wal_writes); USE mirror"
    )  # no sync to disk a view
    engine = QueryEngine(base, manifest, data_dir(home), tables, rules=rules, seal=(), masked=masked)
    try:
        for trouble in (*older, *map(str, engine.broken.values())):
            warnings.warn(trouble, stacklevel=3)
        with engine.session() as session:
            found = session.execute("SELECT database_name, path FROM duckdb_databases() WHERE readonly").fetchall()
            session.execute("CHECKPOINT mirror")
    finally:
        engine.close()
    return dict(found)


def _sealed(file: Path, config: Config, attached: Mapping[str, str]) -> duckdb.DuckDBPyConnection:
    connection = database.connect(file, read_only=True, config=dict(config))
    for name, path in attached.items():
        connection.execute(f"ATTACH {literal(path)} AS {identifier(name)} (READ_ONLY)")
    for setting in LOCKDOWN:
        connection.execute(setting)
    return connection
