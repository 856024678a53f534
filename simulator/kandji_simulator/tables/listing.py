"""The lists of the API that are not Prism: which records an answer takes, in what order, and their rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from kandji_schema.resource import Resource
from kandji_simulator.tables.generated import GeneratedList

if TYPE_CHECKING:
    from kandji_simulator.world.records import Device
    from kandji_simulator.world.world import World

Query = Mapping[str, str]
Json = dict[str, Any]


class Listing(ABC):
    """One list. ``single`` is one that has exactly one row and is sent without brackets."""

    single = False

    @abstractmethod
    def records(self, query: Query, parent: Mapping[str, str]) -> Sequence[Any] | None:
        """What the query selects, in order; None where the parent row of the path does not exist."""

    @abstractmethod
    def row(self, record: Any) -> Json:
        """The provider's row of a record."""

    @abstractmethod
    def find(self, key: str) -> Any | None:
        """The record with this identifier."""

    @abstractmethod
    def position(self, record: Any) -> str:
        """Grows or falls along the list: the place a cursor remembers."""

    def summary(self, records: Sequence[Any]) -> Json:
        """What an envelope by offset says besides its rows and links."""
        return {"count": len(records)}


class RowList(Listing):
    """A list of the tenant whose rows are made all at once, and again only after the world has changed."""

    def __init__(self, world: World, make: Callable[[World], Sequence[Json]], *, key: str = "id") -> None:
        self._world = world
        self._make = make
        self._key = key

    def records(self, query: Query, parent: Mapping[str, str]) -> Sequence[Json]:
        """See :class:`Listing`; no query selects."""
        return self._world.remember(f"{self._make.__module__}.{self._make.__name__}", lambda: self._make(self._world))

    def row(self, record: Json) -> Json:
        """See :class:`Listing`."""
        return record

    def find(self, key: str) -> Json | None:
        """See :class:`Listing`."""
        return next((row for row in self.records({}, {}) if row[self._key] == key), None)

    def position(self, record: Json) -> str:
        """See :class:`Listing`."""
        return str(record[self._key])


class SingleObject(RowList):
    """One object of the tenant."""

    single = True

    def position(self, record: Json) -> str:
        """There is only one."""
        return ""


class DeviceRows(Listing):
    """What is asked for once a device: ``make`` gives its rows."""

    def __init__(self, world: World, make: Callable[[World, Device], list[Json]], *, single: bool = False) -> None:
        self.single = single
        self._world = world
        self._make = make

    def records(self, query: Query, parent: Mapping[str, str]) -> Sequence[Json] | None:
        """See :class:`Listing`."""
        device = self._world.devices.get(next(iter(parent.values())))
        return None if device is None else self._make(self._world, device)

    def row(self, record: Json) -> Json:
        """See :class:`Listing`."""
        return record

    def find(self, key: str) -> None:
        """Rows below a device cannot be asked for one by one."""

    def position(self, record: Json) -> str:
        """They come all at once."""
        return ""


class GeneratedListing(Listing):
    """A list drawn from its declaration."""

    def __init__(self, world: World, resource: Resource) -> None:
        self.single = bool(resource.parent) and set(resource.key) <= set(resource.parent_key)
        self._world = world
        self._resource = resource
        self._list = GeneratedList(world.seed, resource)

    def records(self, query: Query, parent: Mapping[str, str]) -> Sequence[Json] | None:
        """See :class:`Listing`."""
        if self._resource.parent:
            above = self._world.tables.listing(self._resource.parent)
            if any(above.find(value) is None for value in parent.values()):
                return None
        return sorted(self._list.rows(parent), key=self.position)

    def row(self, record: Json) -> Json:
        """See :class:`Listing`."""
        return record

    def find(self, key: str) -> Json | None:
        """See :class:`Listing`."""
        return next((r for r in self.records({}, {}) or () if self.position(r).split("\t")[0] == key), None)

    def position(self, record: Json) -> str:
        """The key columns of the row."""
        keys = [c for c in self._resource.columns if c.key and c.name not in self._resource.parent_key]
        return "\t".join(str(_dug(record, c.sources[0])) for c in keys)


def _dug(row: Any, source: str) -> Any:
    for name in source.split("."):
        row = row.get(name) if isinstance(row, dict) else None
    return row


_T = TypeVar("_T")


class PerDevice(Generic[_T]):
    """``make(device)`` of every device of the world, up to date at each look."""

    def __init__(self, world: World, make: Callable[[Device], _T]) -> None:
        self._world = world
        self._make = make
        self._values: dict[str, _T] = {}
        self._read = 0

    def values(self) -> Mapping[str, _T]:
        """By device id, in no order."""
        touched = self._world.touched
        for device_id in dict.fromkeys(touched[self._read :]):
            device = self._world.devices.get(device_id)
            if device is None:
                self._values.pop(device_id, None)
            else:
                self._values[device_id] = self._make(device)
        self._read = len(touched)
        return self._values
