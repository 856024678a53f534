"""The form that is one ordinary DuckDB file: every item a table, with comments, and the mirror's macros.

Views become tables, as they were: they read what only the mirror's own engine has. The file has the oldest storage
version that holds its types, since many tools bring a DuckDB of their own that is not the newest.
"""

from collections.abc import Iterator
from pathlib import Path

from kandji_queries import definitions
from kandji_queries.export import folder, watch
from kandji_queries.export.report import StoredItem
from kandji_queries.export.source import ExportItem, OpenSource
from kandji_schema.folders import usable
from kandji_schema.sql import identifier, literal

FILE = "kandji-mirror.duckdb"
PLACE = "exported"

READERS = "DuckDB 1.1 or newer"
"""What opens the file and runs every macro in it with the same answer, as tried with 1.1.0, 1.1.3, 1.2.0, 1.2.2, 1.3.0,
1.3.2, 1.4.0, 1.4.3 to 1.4.5, 1.5.0 to 1.5.6, 2.0.0 and 2.0.1. DuckDB 1.0 knows blocks of one size only, and no macros
with more than one signature.

So a macro may have nothing that came later. ``TRY`` did: with it 1.1 and 1.2 end the whole connection, even where the
functions are only listed, as programs with a tree of the file do; 1.5.0 to 1.5.4 lose the parameters of a lambda."""

_NEW = "(STORAGE_VERSION 'v1.0.0', BLOCK_SIZE 16384, RECOVERY_MODE no_wal_writes)"
"""The small blocks make a file of many small tables half as large; a file that is written once needs no log."""


def write(opened: OpenSource, whole: Path, progress: watch.Progress) -> dict[str, StoredItem]:
    """Write all items to one new file in the folder ``whole``; return what became of each by name."""
    path = usable(whole / FILE)
    rows = _tables(opened, path, progress)
    file = folder.measured(path, whole)
    return {name: StoredItem(count, (file,)) for name, count in rows.items()}


def _tables(opened: OpenSource, path: Path, progress: watch.Progress) -> dict[str, int]:
    """Make the tables; the rows of each by name. One transaction: each of its own would cost a write a comment."""
    with opened.session(*watch.WATCHED) as session:
        session.execute(f"ATTACH {literal(str(path))} AS {PLACE} {_NEW}")
        session.execute("BEGIN")
        rows = {}
        for item in opened.items:
            table = f"{PLACE}.main.{identifier(item.name)}"
            made = f"CREATE TABLE {table} AS FROM (\n{item.sql}\n)"
            ((rows[item.name],),) = watch.execute(session, made, item.params, watch.progress_of(progress, item.name))
            for comment in _comments(opened, item, table):
                session.execute(comment)
        for macro in definitions.macros().values():
            session.execute(macro.sql.replace("CREATE MACRO ", f"CREATE MACRO {PLACE}.main.", 1))
        for end in ("COMMIT", f"CHECKPOINT {PLACE}"):
            watch.execute(session, end, {}, lambda _: None)
        session.execute(f"DETACH {PLACE}")
    return rows


def _comments(opened: OpenSource, item: ExportItem, table: str) -> Iterator[str]:
    words, columns = opened.words(item)
    dates = ", ".join(f"{name} {moment or 'never synced'}" for name, moment in opened.as_of(item).items())
    about = " ".join(filter(None, (words, f"As of {dates}." if dates else "")))
    yield f"COMMENT ON TABLE {table} IS {literal(about)}"
    for column in columns:
        if column.description:
            yield f"COMMENT ON COLUMN {table}.{identifier(column.name)} IS {literal(column.description)}"
