"""The lists of the API that are not Prism: which records an answer takes, in what order, and their rows."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kandji_simulator.world.records import Device
from kandji_simulator.world.state import TenantState

Query = Mapping[str, str]
Json = dict[str, Any]
Record = Any
"""What a list selects and pages; its row is made when it is sent."""


class Listing(ABC):
    """One list. ``single`` is one that has exactly one row and is sent without brackets."""

    single = False

    def __init__(self, state: TenantState) -> None:
        self._state = state

    @abstractmethod
    def records(self, query: Query, parent: Mapping[str, str]) -> Sequence[Record] | None:
        """Return what the query selects, in order; None where the parent row of the path does not exist."""

    def row(self, record: Record) -> Json:
        """Return the provider's row of a record."""
        found: Json = record
        return found

    def find(self, key: str) -> Record | None:
        """Return the record with this identifier; None where there is none, or none can be asked for alone."""
        return None

    def position(self, record: Record) -> str:
        """Return a text that grows or falls along the list: the place a cursor remembers."""
        return ""

    def summary(self, records: Sequence[Record]) -> Json:
        """Return what an envelope by offset says besides its rows and links."""
        return {"count": len(records)}


class RowList(Listing):
    """A list of the tenant whose rows are made all at once, and again only after the world has changed."""

    def __init__(self, state: TenantState, make: Callable[[], Sequence[Json]], *, key: str = "") -> None:
        super().__init__(state)
        self.single = not key
        self._make = make
        self._key = key

    def records(self, query: Query, parent: Mapping[str, str]) -> Sequence[Json]:
        """Return all rows; no query selects."""
        return self._state.remember(f"rows {id(self)}", self._make)

    def find(self, key: str) -> Json | None:
        """See :class:`Listing`."""
        return next((row for row in self.records({}, {}) if row[self._key] == key), None)

    def position(self, record: Json) -> str:
        """See :class:`Listing`."""
        return str(record[self._key]) if self._key else ""


class DeviceRows(Listing):
    """What is asked for once a device and comes at once: ``make`` gives its rows."""

    def __init__(self, state: TenantState, make: Callable[[Device], list[Json]], *, single: bool = False) -> None:
        super().__init__(state)
        self.single = single
        self._make = make

    def records(self, query: Query, parent: Mapping[str, str]) -> Sequence[Json] | None:
        """See :class:`Listing`."""
        device = self._state.devices.get(next(iter(parent.values())))
        return None if device is None else self._make(device)
