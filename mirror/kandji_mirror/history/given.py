"""History of a past that is told, as that of a simulated tenant: written by the comparison that real syncs use."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from pathlib import Path

import duckdb

from kandji_mirror.history.diff import NOW, WAS, Comparison
from kandji_mirror.history.segments import NEW, Tracked, collecting, write_segment
from kandji_mirror.ingest.engine import Engine, create_table, store_errors
from kandji_mirror.ingest.file_queries import ORDINAL, repeats_numbered
from kandji_mirror.ingest.projection import Projection
from kandji_schema.files import make_folder
from kandji_schema.manifest import Segment, history_dir
from kandji_schema.resource import Resource
from kandji_schema.utc import naive_utc

_AT = "given at"
"""Column, beside those of the table, of the moment of a row."""


@dataclass(frozen=True)
class GivenChange:
    """What became other in a table at one moment, aware UTC: the provider's rows, JSON, as they were and as they are.

    Rows that stayed are in neither; a row that is in both has changed.
    """

    resource: Resource
    at: datetime
    before: Sequence[str]
    after: Sequence[str]


def write_given(
    home: Path, changes: Iterable[GivenChange], tables: Iterable[Resource], *, since: datetime, generation: int
) -> Segment:
    """Write one segment that is the whole history of ``tables`` from ``since`` on; returns it for the manifest.

    ``changes`` are in order of time. What the tables hold now must be what they lead to. Raises :class:`StoreError`.
    """
    by_table: dict[str, list[GivenChange]] = defaultdict(list)
    for change in changes:
        by_table[change.resource.name].append(change)
    tracked = {table.name: _tracked(table, by_table[table.name], since) for table in tables}
    with store_errors("The history"), Engine(history_dir(home) / "giving.tmp") as engine, engine.cursor() as con:
        make_folder(history_dir(home))
        with collecting(con):
            for side in (WAS, NOW):
                con.execute(f"ATTACH ':memory:' AS {side}")
            for given in by_table.values():
                if given:
                    _collect(con, given, generation)
            for side in (WAS, NOW):
                con.execute(f"DETACH {side}")
            name = f"{generation:08d}.duckdb"
            return write_segment(con, home, name, (), tracked, since=since, with_new=True)


def _tracked(table: Resource, changes: Sequence[GivenChange], since: datetime) -> Tracked:
    until = max((change.at for change in changes), default=since)
    return Tracked(table.name, naive_utc(since), naive_utc(until), list(table.key), list(table.key_fallback))


def _collect(con: duckdb.DuckDBPyConnection, changes: Sequence[GivenChange], generation: int) -> None:
    """Collect the events of one table."""
    resource = changes[0].resource
    _load(con, WAS, resource, {change.at: change.before for change in changes})
    _load(con, NOW, resource, {change.at: change.after for change in changes})
    described = con.execute(f'DESCRIBE {NOW}.main."{resource.name}"').fetchall()
    types = {name: kind for name, kind, *_ in described if name != _AT}
    con.execute(Comparison(resource, types, types).insert_dated(NEW, _AT), {"generation": generation})


def _load(
    con: duckdb.DuckDBPyConnection, side: str, resource: Resource, rows: Mapping[datetime, Sequence[str]]
) -> None:
    """Make the table of one side: typed as a sync does it, and dated by the page that its rows came in."""
    table = create_table(con, side, resource)
    pages = [f'{{"data":[{",".join(some)}]}}' for some in rows.values()]
    con.execute(Projection(resource, table).insert_pages, [pages])
    ends = [*accumulate(len(some) for some in rows.values())]
    moments = [naive_utc(at) for at in rows]
    con.execute(f'ALTER TABLE {table} ADD COLUMN "{_AT}" TIMESTAMP')
    con.execute(
        f'UPDATE {table} AS dated SET "{_AT}" = page.at FROM (SELECT unnest($1::TIMESTAMP[]) AS at, '
        "unnest($2::BIGINT[]) AS first, unnest($3::BIGINT[]) AS last) AS page "
        "WHERE dated.rowid >= page.first AND dated.rowid < page.last",
        [moments, [0, *ends[:-1]], ends],
    )
    if resource.repeats:
        numbers = repeats_numbered(resource, table, also=(_AT,))
        numbering = f"FROM ({numbers}) AS n WHERE numbered.rowid = n.row"
        con.execute(f"UPDATE {table} AS numbered SET {ORDINAL} = n.place {numbering}")
