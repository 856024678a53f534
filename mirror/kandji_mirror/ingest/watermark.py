"""Where the next increment begins."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from kandji_mirror.ingest.engine import Engine, as_stored, store_errors
from kandji_schema.resource import Resource

AHEAD = timedelta(minutes=10)
"""Rows stamped later than the provider's clock by more than this come from a device whose clock is wrong."""

FEW = 0.01
"""Up to this share of all rows may be such; more of them mean that the provider's clock is the wrong one."""


def watermark(
    engine: Engine, path: Path, resource: Resource, provider_now: datetime | None, column: str = "updated_at"
) -> datetime | None:
    """The newest value of a timestamp column of a data file, aware UTC; None where no row has one.

    A few rows from the future, by ``provider_now``, are left out: with them increments would see nothing until then.
    :class:`StoreDamaged` where the file cannot be read.
    """
    latest = as_stored(provider_now) + AHEAD if provider_now else datetime.max  # noqa: DTZ901 - naive, as data files have moments
    newest_of, ahead = f'max("{column}")', f'count(*) FILTER ("{column}" > $1)'
    timely = f'{newest_of} FILTER ("{column}" <= $1)'
    asked = f"SELECT {newest_of}, {timely}, {ahead} <= {FEW} * count(*)"
    with store_errors(str(path)), engine.cursor() as con, engine.attached(con, path) as catalog:
        found = con.execute(f'{asked} FROM {catalog}.main."{resource.name}"', [latest]).fetchall()
    ((newest, newest_timely, few),) = found
    start = newest_timely if few else newest
    return start.replace(tzinfo=UTC) if start else None


def newest_but(
    engine: Engine, path: Path, resource: Resource, column: str, between: tuple[datetime, datetime], rows: int
) -> datetime | None:
    """The newest stamp ``between`` two moments, aware UTC, that more than ``rows`` rows there reach; None where none.

    At most ``rows`` rows are stamped later than that and not after the second moment.
    """
    within = f'"{column}" BETWEEN $1 AND $2 ORDER BY "{column}" DESC LIMIT 1 OFFSET {rows}'
    with store_errors(str(path)), engine.cursor() as con, engine.attached(con, path) as catalog:
        found = con.execute(
            f'SELECT "{column}" FROM {catalog}.main."{resource.name}" WHERE {within}', [*map(as_stored, between)]
        ).fetchall()
    return found[0][0].replace(tzinfo=UTC) if found else None
