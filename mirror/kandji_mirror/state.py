"""What the writer remembers in ``HOME/state.sqlite``: its runs, and what makes the next sync cheaper.

That is what the provider was seen to honour (see ``capabilities``), its clock, which device was read when, and what
people edited of devices. Readers never need it: the manifest has what they ask for. Without it a sync is as exact, it
only asks for more.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, Table, bindparam, create_engine, delete, event, func, inspect, update
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import QueuePool
from sqlalchemy.schema import CreateTable
from sqlmodel import Field, Session, SQLModel, col, select

from kandji_mirror.report import Outcome, Report
from kandji_schema.durations import AHEAD
from kandji_schema.errors import StoreError
from kandji_schema.files import make_file

STATE_FILE = "state.sqlite"

KEEP_RUNS = 10_000
"""Older records go: a year of syncing every two minutes would otherwise be a quarter of a million rows a table."""

KEEP_EDITS = timedelta(days=3)
"""Every Prism table is read as a whole more often than this."""


class RunRecord(SQLModel, table=True):
    """One table in one run. ``started_at`` is UTC; a run's rows share it. Fields are the provider's."""

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
    method: str | None = None
    note: str | None = None
    unknown_fields: int | None = None
    odd_values: int | None = None
    missing_fields: int | None = None
    remaining_hour: int | None = None
    error_kind: str | None = None


class CapabilityRecord(SQLModel, table=True):
    """One thing the provider was seen not to do with one table, and since when."""

    __tablename__ = "learned"

    resource: str = Field(primary_key=True)
    fact: str = Field(primary_key=True)
    value: str = ""
    learned_at: datetime


class SweepRecord(SQLModel, table=True):
    """When a device was last read for a table, and what the device list said of it then. ``read_at`` is UTC."""

    __tablename__ = "sweeps"

    resource: str = Field(primary_key=True)
    device_id: str = Field(primary_key=True)
    read_at: datetime
    seen: str = ""
    surplus: int | None = None


class EditRecord(SQLModel, table=True):
    """A column of a device that people edited, as the device list showed it. ``at`` is UTC: when it was noticed."""

    __tablename__ = "edits"

    device_id: str = Field(primary_key=True)
    column: str = Field(primary_key=True)
    at: datetime


class ClockRecord(SQLModel, table=True):
    """The one row of what the newest run saw of the provider's clock; both moments are UTC."""

    __tablename__ = "clock"

    id: int = Field(primary_key=True)
    told: datetime
    local: datetime


class StateFile:
    """The SQLite file of one home, opened when it is first used.

    All threads of a run share one connection, in turn: what they write is little.
    """

    def __init__(self, home: Path) -> None:
        """``home`` is the data directory."""
        self._path = home / STATE_FILE
        url = URL.create("sqlite", database=str(self._path))
        self._engine = create_engine(url, poolclass=QueuePool, pool_size=1, max_overflow=0)
        self._complete = False
        event.listen(self._engine, "connect", _set_pragmas)

    def close(self) -> None:
        """Let go of the connection."""
        self._engine.dispose()

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Lend the connection; :class:`StoreError` where the file cannot be used."""
        try:
            if not self._complete:
                make_file(self._path)
                _create_tables(self._engine)
                self._complete = True
            with Session(self._engine) as session:
                yield session
        except (DatabaseError, OSError) as error:
            reason = getattr(error, "orig", None) or getattr(error, "strerror", None) or error
            raise StoreError(f"{self._path} cannot be used: {reason}. Move it away; it is made anew.") from error


def record_run(home: Path, report: Report) -> None:
    """Write one record a table, and drop the oldest. :class:`StoreError` when the file cannot be written."""
    with closing(StateFile(home)) as file, file.session() as session:
        session.add_all(_run_record(report, outcome) for outcome in report.outcomes)
        session.commit()
        newest = session.exec(select(func.max(RunRecord.id))).one() or 0
        session.exec(delete(RunRecord).where(col(RunRecord.id) <= newest - KEEP_RUNS))
        session.commit()


class ProviderClock:
    """What the provider told of the time last, beside this machine's, for the next run. Kept where the file can be."""

    def __init__(self, file: StateFile) -> None:
        self._file = file

    def last(self) -> tuple[datetime, datetime] | None:
        """Return the provider's time and this machine's, both aware UTC; None where no run saw any."""
        with suppress(StoreError), self._file.session() as session:
            found = session.get(ClockRecord, 1)
            return (found.told, found.local) if found else None
        return None

    def note(self, seen: tuple[datetime, datetime] | None) -> None:
        """Write down what was seen last."""
        if seen is not None:
            with suppress(StoreError), self._file.session() as session:
                session.merge(ClockRecord(id=1, told=seen[0], local=seen[1]))
                session.commit()


@dataclass(frozen=True)
class DeviceReading:
    """A device was read at ``at``, aware UTC, when the device list said ``seen`` of it.

    ``surplus`` is how many more of its rows are kept than the provider counted then, where rows are never deleted.
    """

    at: datetime
    seen: str
    surplus: int = 0


class SweepLedger:
    """When every device was last read, for the tables that are read device by device."""

    def __init__(self, file: StateFile) -> None:
        self._file = file

    def readings(self, resource: str) -> dict[str, DeviceReading]:
        """Return the last reading of every device of the table, by device id."""
        with self._file.session() as session:
            rows = session.exec(select(SweepRecord).where(SweepRecord.resource == resource)).all()
            return {r.device_id: DeviceReading(r.read_at, r.seen, r.surplus or 0) for r in rows}

    def note(self, resource: str, readings: Mapping[str, DeviceReading], gone: Collection[str] = ()) -> None:
        """Write down readings whose rows are published, and forget devices that are gone."""
        ledger = _table(SweepRecord)
        of_device = ledger.delete().where(ledger.c.resource == resource, ledger.c.device_id == bindparam("device"))
        rows = [
            {"resource": resource, "device_id": device, "read_at": r.at, "seen": r.seen, "surplus": r.surplus}
            for device, r in readings.items()
        ]
        with self._file.session() as session:
            if gone:
                session.connection().execute(of_device, [{"device": device} for device in gone])
            if rows:
                session.connection().execute(ledger.insert().prefix_with("OR REPLACE"), rows)
            session.commit()

    def clear(self, resource: str) -> None:
        """Forget every reading of a table, since its rows are not what was read."""
        with self._file.session() as session:
            session.exec(delete(SweepRecord).where(col(SweepRecord.resource) == resource))
            session.commit()


class DeviceEdits:
    """What people edited of devices in the last days: no row of Prism tells of it, though it is written in them."""

    def __init__(self, file: StateFile) -> None:
        self._file = file

    def note(self, edited: Collection[tuple[str, str]], at: datetime) -> None:
        """Write down pairs of device id and column, noticed ``at``, and forget what is old.

        What a clock that was ahead noticed counts as noticed now: nobody knows whether it was read since.
        """
        with self._file.session() as session:
            for device, column in edited:
                session.merge(EditRecord(device_id=device, column=column, at=at))
            session.exec(delete(EditRecord).where(col(EditRecord.at) < at - KEEP_EDITS))
            session.exec(update(EditRecord).where(col(EditRecord.at) > at + AHEAD).values(at=at))
            session.commit()

    def since(self, moment: datetime, columns: Collection[str]) -> list[str]:
        """Return the devices of which one of the columns was edited at ``moment`` or later, in order."""
        chosen = select(EditRecord.device_id).where(col(EditRecord.at) >= moment, col(EditRecord.column).in_(columns))
        with self._file.session() as session:
            return sorted(set(session.exec(chosen).all()))


def utc_now() -> datetime:
    """Return this machine's time, aware UTC."""
    return datetime.now(UTC)


Now = Callable[[], datetime]


_OF_OUTCOME = ("rows", "requests", "seconds", "changed", "error", "error_kind", "method", "note")


def _run_record(report: Report, outcome: Outcome) -> RunRecord:
    return RunRecord(
        started_at=report.started_at.isoformat(timespec="seconds"),
        resource=outcome.table,
        outcome=outcome.state.value,
        **{name: getattr(outcome, name) for name in _OF_OUTCOME},
        unknown_fields=len(outcome.drift.unknown),
        odd_values=sum(outcome.drift.odd.values()),
        missing_fields=len(outcome.drift.missing),
        remaining_hour=report.remaining_hour,
    )


def _table(model: type[SQLModel]) -> Table:
    return model.__table__  # type: ignore[attr-defined,no-any-return]  # set by SQLModel on every table class


def _create_tables(engine: Engine) -> None:
    """Several processes may come first at once, and only ``IF NOT EXISTS`` inside the statement is safe then."""
    with engine.begin() as connection:
        for model in (RunRecord, CapabilityRecord, SweepRecord, EditRecord, ClockRecord):
            connection.execute(CreateTable(_table(model), if_not_exists=True))
        for model in (RunRecord, SweepRecord):
            _add_missing_columns(connection, _table(model))


def _add_missing_columns(connection: Connection, table: Table) -> None:
    """Add the columns a table written by an earlier version lacks."""
    present = {column["name"] for column in inspect(connection).get_columns(table.name)}
    for column in table.columns:
        if column.name not in present:
            kind = column.type.compile(connection.dialect)
            connection.exec_driver_sql(f'ALTER TABLE "{table.name}" ADD COLUMN "{column.name}" {kind}')


def _set_pragmas(connection: object, _record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]  # a sqlite3 connection, which the event does not say
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA busy_timeout=30000")
    cursor.close()
