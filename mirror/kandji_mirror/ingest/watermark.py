"""Where the next increment begins."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from kandji_mirror.ingest.engine import store_errors
from kandji_schema.resource import Resource

AHEAD = timedelta(minutes=10)
"""Rows stamped later than the provider's clock by more than this come from a device whose clock is wrong."""

FEW = 0.01
"""Up to this share of all rows may be such; more of them mean that the provider's clock is the wrong one."""


def watermark(
    path: Path, resource: Resource, provider_now: datetime | None, column: str = "updated_at"
) -> datetime | None:
    """The newest value of a timestamp column of a data file, aware UTC; None where no row has one.

    A few rows from the future, by ``provider_now``, are left out: with them increments would see nothing until then.
    :class:`StoreDamaged` where the file cannot be read.
    """
    latest = provider_now.astimezone(UTC).replace(tzinfo=None) + AHEAD if provider_now else datetime.max
    newest_of, ahead = f'max("{column}")', f'count(*) FILTER ("{column}" > $1)'
    timely = f'{newest_of} FILTER ("{column}" <= $1)'
    sql = f'SELECT {newest_of}, {timely}, {ahead} <= {FEW} * count(*) FROM "{resource.name}"'
    with store_errors(str(path)), duckdb.connect(path, read_only=True) as con:
        ((newest, newest_timely, few),) = con.execute(sql, [latest]).fetchall()
    found = newest_timely if few else newest
    return found.replace(tzinfo=UTC) if found else None
