"""How the project opens DuckDB: every engine counts in UTC, whatever the zone of the machine is.

DuckDB takes the system's zone for ``now()::TIMESTAMP``, ``date_trunc`` and every cast between moments with and without
a zone. ``SET TimeZone`` reaches one connection only, not its cursors; ``SET GLOBAL`` reaches those too (DuckDB 2.0). A
test holds that nothing else in the project calls ``duckdb.connect``.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb

IN_UTC = "SET GLOBAL TimeZone='UTC'; SET GLOBAL Calendar='gregorian'"
"""The calendar would follow the system's language the same way."""

Config = Mapping[str, "str | int | float | bool | list[str]"]


def connect(
    database: str | Path = ":memory:", *, read_only: bool = False, config: Config | None = None
) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB instance whose connections and cursors all count in UTC; arguments are ``duckdb.connect``'s.

    Raises :class:`duckdb.Error` where the file cannot be opened.
    """
    connection = duckdb.connect(database, read_only=read_only, config=dict(config or {}))
    connection.execute(IN_UTC)
    return connection


def is_readable(path: Path, tables: Iterable[str]) -> bool:
    """Tell whether every block of these tables of a file can be read; DuckDB compares the checksums."""
    try:
        with connect(path, read_only=True) as file:
            for table in tables:
                file.execute(f'SELECT count(hash(COLUMNS(*))) FROM "{table}"').fetchall()
    except duckdb.Error:
        return False
    return True
