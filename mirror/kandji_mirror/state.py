"""The record of runs in ``HOME/state.sqlite``. Readers never need it: the manifest has what they ask for."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine, create_engine, delete, event, func
from sqlalchemy.exc import DatabaseError
from sqlalchemy.schema import CreateTable
from sqlmodel import Field, Session, SQLModel, col, select

from kandji_mirror.sync.outcome import Outcome, Report
from kandji_schema.errors import StoreError

KEEP_RUNS = 10_000
"""Older records go: a year of syncing every two minutes would otherwise be a quarter of a million rows a table."""


class RunRecord(SQLModel, table=True):
    """One table in one run. ``started_at`` is UTC; a run's rows share it."""

    __tablename__ = "runs"

    id: int | None = Field(default=None, primary_key=True)
    started_at: str
    resource: str
    outcome: str
    rows: int
    requests: int
    seconds: float
    changed: bool
    error: str | None = None


class RunLog:
    """The record of runs of one home."""

    def __init__(self, home: Path) -> None:
        """``home`` is the data directory; the file is made when it is first written to."""
        self._path = home / "state.sqlite"

    def append(self, report: Report) -> None:
        """Write one record a table. :class:`StoreError` when the file cannot be written."""
        with self._session() as session:
            session.add_all(_record(report.started_at, outcome) for outcome in report.outcomes)
            session.commit()
            newest = session.exec(select(func.max(RunRecord.id))).one() or 0
            session.exec(delete(RunRecord).where(col(RunRecord.id) <= newest - KEEP_RUNS))
            session.commit()

    def last(self, count: int = 20) -> list[RunRecord]:
        """The newest records, newest first."""
        with self._session() as session:
            return list(session.exec(select(RunRecord).order_by(col(RunRecord.id).desc()).limit(count)).all())

    @contextmanager
    def _session(self) -> Iterator[Session]:
        engine = create_engine(f"sqlite:///{self._path}")
        event.listen(engine, "connect", _durable)
        try:
            _create(engine)
            with Session(engine) as session:
                yield session
        except DatabaseError as error:
            raise StoreError(f"{self._path} cannot be used: {error.orig}. Move it away; it is made anew.") from error
        finally:
            engine.dispose()


def _record(started_at: datetime, outcome: Outcome) -> RunRecord:
    return RunRecord(
        started_at=started_at.isoformat(timespec="seconds"),
        resource=outcome.table,
        outcome=outcome.state.value,
        rows=outcome.rows,
        requests=outcome.requests,
        seconds=outcome.seconds,
        changed=outcome.changed,
        error=outcome.error,
    )


def _create(engine: Engine) -> None:
    """Several processes may come first at once, and only ``IF NOT EXISTS`` inside the statement is safe then."""
    table = RunRecord.__table__  # type: ignore[attr-defined]  # set by SQLModel on every table class
    with engine.begin() as connection:
        connection.execute(CreateTable(table, if_not_exists=True))


def _durable(connection: object, _record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]  # a sqlite3 connection, which the event does not say
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA busy_timeout=30000")
    cursor.close()
