"""Copies of SQLite files that others may be writing: whole, of one moment, in a file of its own."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

BUSY_SECONDS = 30.0


def copy_database(source: Path, target: Path) -> None:
    """Write the database as it is now into a new file of mode 0600.

    Raises :class:`sqlite3.Error` where it cannot be read or is damaged, and :class:`OSError`.
    """
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    uri = f"{source.absolute().as_uri()}?mode=ro"
    with (
        closing(sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS)) as before,
        closing(sqlite3.connect(target, timeout=BUSY_SECONDS)) as copy,
    ):
        before.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, without another one beside it
