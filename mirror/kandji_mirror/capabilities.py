"""What the provider was seen not to honour, table by table: read once a run, and believed for a while.

A sync asks the cheapest way first; where that is refused or ignored it is written down here, so that the next passes do
not pay for it again until it is time to try.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, unique
from pathlib import Path
from threading import Lock

from sqlalchemy import delete
from sqlmodel import col, select

from kandji_mirror.state import (
    STATE_FILE,
    CapabilityRecord,
    DeviceEdits,
    Now,
    ProviderClock,
    StateFile,
    SweepLedger,
    utc_now,
)
from kandji_schema.durations import in_future
from kandji_schema.errors import StoreError


@unique
class Capability(Enum):
    """Something that a server may lack. The values are its name in the file, and after how long it is tried again."""

    UPDATED_AT_FILTER = "INCREMENTS_IGNORED", timedelta(days=1)
    DEVICE_FILTER = "DEVICE_FILTER_IGNORED", timedelta(days=1)
    COLLECTED_AT_FILTER = "COLLECTED_IGNORED", timedelta(days=1)
    EXPORT = "EXPORTS_REFUSED", timedelta(days=7)
    DECLARED_PATH = "SUCCEEDED", timedelta(days=30)
    PRISM = "PRISM_FORBIDDEN", timedelta(hours=23)
    PERMISSION = "NOT_PERMITTED", timedelta(days=1)

    @property
    def stored(self) -> str:
        """Its name in the file, which earlier versions gave it."""
        return self.value[0]

    @property
    def retry_after(self) -> timedelta:
        """How long until a server that lacks it is asked again."""
        return self.value[1]


class ServerCapabilities:
    """Which capabilities the server lacks for which table. ``now`` tells the time, aware UTC.

    Where the file cannot be used nothing is known: then refused ways are tried again.
    """

    def __init__(self, file: StateFile, now: Now = utc_now) -> None:
        """Nothing is read before the first question."""
        self._file = file
        self._now = now
        self._records: dict[tuple[str, str], tuple[str, datetime]] | None = None
        self._lock = Lock()

    def lacks(self, table: str, capability: Capability, *, seen: str | None = None) -> bool:
        """Return whether the table was seen to lack it, which is believed still; where ``seen`` is given, by just that.

        What was noted by a clock that was ahead is not believed: nobody knows how old it is.
        """
        with self._lock:
            found = self._known().get((table, capability.stored))
        if found is None or seen not in {None, found[0]}:
            return False
        now, noted_at = self._now(), found[1]
        return now - noted_at < capability.retry_after and not in_future(noted_at, now)

    def note_lack(self, table: str, capability: Capability, seen: str = "") -> None:
        """Remember that the table lacks it from now on; ``seen`` says how that showed."""
        noted_at = self._now()
        record = CapabilityRecord(resource=table, fact=capability.stored, value=seen, learned_at=noted_at)
        with suppress(StoreError), self._lock:
            with self._file.session() as session:
                session.merge(record)
                session.commit()
            self._known()[table, capability.stored] = seen, noted_at

    def note_present(self, table: str, capability: Capability) -> None:
        """Forget that the table lacked it."""
        with suppress(StoreError), self._lock:
            if self._known().pop((table, capability.stored), None):
                with self._file.session() as session:
                    named = col(CapabilityRecord.resource) == table, col(CapabilityRecord.fact) == capability.stored
                    session.exec(delete(CapabilityRecord).where(*named))
                    session.commit()

    def _known(self) -> dict[tuple[str, str], tuple[str, datetime]]:
        if self._records is None:
            self._records = {}
            with suppress(StoreError), self._file.session() as session:
                rows = session.exec(select(CapabilityRecord)).all()
                self._records = {(row.resource, row.fact): (row.value, row.learned_at) for row in rows}
        return self._records


@dataclass(frozen=True)
class SyncState:
    """All that one run remembers of earlier runs, and notes for later ones."""

    capabilities: ServerCapabilities
    clock: ProviderClock
    ledger: SweepLedger
    edits: DeviceEdits


@contextmanager
def open_state(home: Path, now: Now = utc_now) -> Iterator[SyncState]:
    """Lend the state of a data directory, over one connection, which is opened when it is first needed."""
    with closing(StateFile(home)) as file:
        yield SyncState(ServerCapabilities(file, now), ProviderClock(file), SweepLedger(file), DeviceEdits(file))


def forget_refusals(home: Path, tables: tuple[str, ...]) -> None:
    """Let the next sync ask for tables again, since they were seen to be permitted."""
    if (home / STATE_FILE).is_file():
        with open_state(home) as state:
            for table in tables:
                for capability in (Capability.PERMISSION, Capability.PRISM):
                    state.capabilities.note_present(table, capability)
