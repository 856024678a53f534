"""What the writer remembers in ``HOME/state.sqlite``.

The runs, what the provider was seen to honour, its clock, which device was read when, and what people edited of
devices.

Readers never need it: the manifest has what they ask for. Without it a sync is as exact, it only asks for more.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, unique
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, delete, event, func, inspect, update
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateTable
from sqlmodel import Field, Session, SQLModel, col, select

from kandji_mirror.report import Outcome, Report
from kandji_schema.ages import AHEAD, in_future
from kandji_schema.errors import StoreError
from kandji_schema.files import make_file

KEEP_RUNS = 10_000
"""Older records go: a year of syncing every two minutes would otherwise be a quarter of a million rows a table."""

KEEP_EDITS = timedelta(days=3)
"""Every Prism table is read as a whole more often than this."""

_AT_ONCE = 500
"""Rows of one statement: SQLite takes a limited number of parameters."""


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


class LearnedRecord(SQLModel, table=True):
    """One thing the provider was seen to do with one table."""

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


@unique
class Fact(Enum):
    """What can be learnt of the provider: in words, and how long it is believed."""

    INCREMENTS_IGNORED = "does not filter by updated_at", timedelta(days=1)
    DEVICE_FILTER_IGNORED = "does not filter by device", timedelta(days=1)
    COLLECTED_IGNORED = "does not filter by last_collected_at", timedelta(days=1)
    EXPORTS_REFUSED = "does not export", timedelta(days=7)
    SUCCEEDED = "answers at a newer path", timedelta(days=30)
    PRISM_FORBIDDEN = "does not allow Prism", timedelta(hours=23)
    NOT_PERMITTED = "does not permit it to this token", timedelta(days=1)

    @property
    def believed(self) -> timedelta:
        """How long until it is tried again."""
        return self.value[1]


@dataclass(frozen=True)
class Reading:
    """A device was read at ``at``, aware UTC, when the device list said ``seen`` of it.

    ``surplus`` is how many more of its rows are kept than the provider counted then, where rows are never deleted.
    """

    at: datetime
    seen: str
    surplus: int = 0


class _File:
    """The SQLite file of one home, opened for each use: uses are few and come from several threads and processes."""

    def __init__(self, home: Path) -> None:
        self._path = home / "state.sqlite"
        self._engine = create_engine(URL.create("sqlite", database=str(self._path)), poolclass=NullPool)
        self._complete = False
        event.listen(self._engine, "connect", _durable)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session; :class:`StoreError` where the file cannot be used."""
        try:
            if not self._complete:
                make_file(self._path)
                _create(self._engine)
                self._complete = True
            with Session(self._engine) as session:
                yield session
        except (DatabaseError, OSError) as error:
            reason = getattr(error, "orig", None) or getattr(error, "strerror", None) or error
            raise StoreError(f"{self._path} cannot be used: {reason}. Move it away; it is made anew.") from error


class RunLog:
    """The record of runs of one home."""

    def __init__(self, home: Path) -> None:
        """``home`` is the data directory; the file is made when it is first written to."""
        self._file = _File(home)

    def append(self, report: Report) -> None:
        """Write one record a table. :class:`StoreError` when the file cannot be written."""
        with self._file.session() as session:
            session.add_all(_record(report, outcome) for outcome in report.outcomes)
            session.commit()
            newest = session.exec(select(func.max(RunRecord.id))).one() or 0
            session.exec(delete(RunRecord).where(col(RunRecord.id) <= newest - KEEP_RUNS))
            session.commit()

    def last(self, count: int = 20) -> list[RunRecord]:
        """The newest records, newest first."""
        with self._file.session() as session:
            return list(session.exec(select(RunRecord).order_by(col(RunRecord.id).desc()).limit(count)).all())


class Learned:
    """What the provider was seen to honour and to refuse. ``now`` tells the time, aware UTC.

    Where the file cannot be used nothing is known: then refused ways are tried again.
    """

    def __init__(self, home: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """``home`` is the data directory."""
        self._file = _File(home)
        self._now = now

    def holds(self, resource: str, fact: Fact, *, value: str | None = None) -> bool:
        """Whether the fact was learnt of the table, with that ``value`` where one is given, and is believed still.

        What was learnt by a clock that was ahead is not believed: nobody knows how old it is.
        """
        with suppress(StoreError), self._file.session() as session:
            found = session.get(LearnedRecord, (resource, fact.name))
            if found is None or value not in {None, found.value}:
                return False
            now = self._now()
            return now - found.learned_at < fact.believed and not in_future(found.learned_at, now)
        return False

    def learn(self, resource: str, fact: Fact, value: str = "") -> None:
        """Remember a fact from now on; ``value`` says how it was seen."""
        with suppress(StoreError), self._file.session() as session:
            session.merge(LearnedRecord(resource=resource, fact=fact.name, value=value, learned_at=self._now()))
            session.commit()

    def forget(self, resource: str, fact: Fact) -> None:
        """The provider was seen to do otherwise."""
        with suppress(StoreError), self._file.session() as session:
            known = session.get(LearnedRecord, (resource, fact.name))
            if known is not None:
                session.delete(known)
                session.commit()


class ClockSeen:
    """What the provider told of the time last, beside this machine's, for the next run. Kept where the file can be."""

    def __init__(self, home: Path) -> None:
        """``home`` is the data directory."""
        self._file = _File(home)

    def last(self) -> tuple[datetime, datetime] | None:
        """The provider's time and this machine's, both aware UTC; None where no run saw any."""
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


class Sweeps:
    """The ledger of tables that are read device by device."""

    def __init__(self, home: Path) -> None:
        """``home`` is the data directory."""
        self._file = _File(home)

    def readings(self, resource: str) -> dict[str, Reading]:
        """The last reading of every device of the table, by device id."""
        with self._file.session() as session:
            rows = session.exec(select(SweepRecord).where(SweepRecord.resource == resource)).all()
            return {r.device_id: Reading(r.read_at, r.seen, r.surplus or 0) for r in rows}

    def note(self, resource: str, readings: Mapping[str, Reading], gone: Collection[str] = ()) -> None:
        """Write down readings whose rows are published, and forget devices that are gone."""
        rows = [
            {"resource": resource, "device_id": device, "read_at": r.at, "seen": r.seen, "surplus": r.surplus}
            for device, r in readings.items()
        ]
        with self._file.session() as session:
            for some in _pieces([*readings, *gone]):
                session.exec(_of_devices(resource, some))
            if rows:
                session.connection().execute(_table(SweepRecord).insert(), rows)
            session.commit()

    def clear(self, resource: str) -> None:
        """Forget every reading of a table, since its rows are not what was read."""
        with self._file.session() as session:
            session.exec(delete(SweepRecord).where(col(SweepRecord.resource) == resource))
            session.commit()


class Edits:
    """What people edited of devices in the last days: no row of Prism tells of it, though it is written in them."""

    def __init__(self, home: Path) -> None:
        """``home`` is the data directory."""
        self._file = _File(home)

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
        """Devices of which one of the columns was edited at ``moment`` or later, in order."""
        chosen = select(EditRecord.device_id).where(col(EditRecord.at) >= moment, col(EditRecord.column).in_(columns))
        with self._file.session() as session:
            return sorted(set(session.exec(chosen).all()))


def _of_devices(resource: str, devices: Sequence[str]) -> Any:
    chosen = delete(SweepRecord).where(col(SweepRecord.resource) == resource)
    return chosen.where(col(SweepRecord.device_id).in_(devices))


def _pieces(items: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]


def _record(report: Report, outcome: Outcome) -> RunRecord:
    return RunRecord(
        started_at=report.started_at.isoformat(timespec="seconds"),
        resource=outcome.table,
        outcome=outcome.state.value,
        rows=outcome.rows,
        requests=outcome.requests,
        seconds=outcome.seconds,
        changed=outcome.changed,
        error=outcome.error,
        method=outcome.method,
        note=outcome.note,
        unknown_fields=len(outcome.drift.unknown),
        odd_values=sum(outcome.drift.odd.values()),
        missing_fields=len(outcome.drift.missing),
        remaining_hour=report.remaining_hour,
    )


def _table(model: type[SQLModel]) -> Table:
    return model.__table__  # type: ignore[attr-defined,no-any-return]  # set by SQLModel on every table class


def _create(engine: Engine) -> None:
    """Several processes may come first at once, and only ``IF NOT EXISTS`` inside the statement is safe then."""
    with engine.begin() as connection:
        for model in (RunRecord, LearnedRecord, SweepRecord, EditRecord, ClockRecord):
            connection.execute(CreateTable(_table(model), if_not_exists=True))
        for model in (RunRecord, SweepRecord):
            _widen(connection, _table(model))


def _widen(connection: Connection, table: Table) -> None:
    """Add the columns a table written by an earlier version lacks."""
    present = {column["name"] for column in inspect(connection).get_columns(table.name)}
    for column in table.columns:
        if column.name not in present:
            kind = column.type.compile(connection.dialect)
            connection.exec_driver_sql(f'ALTER TABLE "{table.name}" ADD COLUMN "{column.name}" {kind}')


def _durable(connection: object, _record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]  # a sqlite3 connection, which the event does not say
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA busy_timeout=30000")
    cursor.close()
