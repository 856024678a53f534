"""The lists of the API that are not Prism: which records an answer takes, in what order, and their rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from kandji_mirror.simulator.device_rows import device_row
from kandji_mirror.simulator.invented import InventedList
from kandji_mirror.simulator.moments import zulu
from kandji_mirror.simulator.records import Blueprint, Device, User
from kandji_schema.resource import Resource

if TYPE_CHECKING:  # the world owns its listings
    from kandji_mirror.simulator.world import World

Query = Mapping[str, str]


class Listing(Protocol):
    """One list."""

    def records(self, query: Query, parent: Mapping[str, str]) -> Sequence[Any] | None:
        """What the query selects, in order; None where the parent row of the path does not exist."""

    def row(self, record: Any) -> dict[str, Any]:
        """The provider's row of a record."""

    def find(self, key: str) -> Any | None:
        """The record with this identifier."""

    def position(self, record: Any) -> str:
        """Grows along the list: the place a cursor remembers."""


class DeviceList:
    """``GET /devices``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def records(self, query: Query, parent: Mapping[str, str]) -> Sequence[Device]:
        """Filters of the contract, most of them "contains"; ``ordering`` is a comma list, ``-`` reverses."""
        ordering = query.get("ordering", "")
        devices = self._world.remember(f"ordered {ordering}", lambda: self._ordered(ordering))
        wanted = [(_DEVICE_FILTERS[name], value) for name, value in query.items() if name in _DEVICE_FILTERS]
        return [d for d in devices if all(passes(d, value) for passes, value in wanted)] if wanted else devices

    def _ordered(self, ordering: str) -> list[Device]:
        devices = list(self._world.devices.values())
        for name in reversed(ordering.split(",")):
            key = _DEVICE_ORDER.get(name.removeprefix("-"))
            if key:
                devices.sort(key=key, reverse=name.startswith("-"))
        return devices

    def row(self, record: Device) -> dict[str, Any]:
        """See :class:`Listing`."""
        return device_row(record)

    def find(self, key: str) -> Device | None:
        """See :class:`Listing`."""
        return self._world.devices.get(key)

    def position(self, record: Device) -> str:
        """See :class:`Listing`."""
        return record.id


_DEVICE_TEXTS: dict[str, Callable[[Device], str]] = {
    "asset_tag": lambda d: d.asset_tag or "",
    "blueprint_id": lambda d: d.blueprint.id if d.blueprint else "",
    "device_id": lambda d: d.id,
    "device_name": lambda d: d.name,
    "model": lambda d: d.model.name,
    "os_version": lambda d: d.release.version,
    "platform": lambda d: d.platform,
    "serial_number": lambda d: d.serial,
    "user_email": lambda d: d.user.email if d.user else "",
    "user_name": lambda d: d.user.name if d.user else "",
}
_DEVICE_ORDER: dict[str, Callable[[Device], Any]] = {
    **_DEVICE_TEXTS,
    "last_check_in": lambda d: d.checked_in or 0,
    "user": _DEVICE_TEXTS["user_email"],
}


def _contains(text: Callable[[Device], str]) -> Callable[[Device, str], bool]:
    return lambda device, wanted: wanted.lower() in text(device).lower()


_DEVICE_FILTERS: dict[str, Callable[[Device, str], bool]] = {
    **{name: _contains(text) for name, text in _DEVICE_TEXTS.items()},
    "user": _contains(_DEVICE_TEXTS["user_name"]),
    "user_id": lambda d, wanted: d.user is not None and wanted in {d.user.id, str(d.user.number)},
    "user_email_exact": lambda d, wanted: d.user is not None and d.user.email == wanted,
    "tag_name": lambda d, wanted: any(wanted in tag for tag in d.tags),
    "tag_name_in": lambda d, wanted: not set(d.tags).isdisjoint(wanted.split(",")),
}


class UserList:
    """``GET /users``, newest first."""

    def __init__(self, world: World) -> None:
        self._world = world

    def records(self, query: Query, parent: Mapping[str, str]) -> Sequence[User]:
        """Filters: ``email`` contains, ``id``, ``archived``."""
        users = self._world.remember("users", lambda: sorted(self._world.users.values(), key=lambda u: -u.number))
        wanted = [(_USER_FILTERS[name], value) for name, value in query.items() if name in _USER_FILTERS]
        return [u for u in users if all(passes(u, value) for passes, value in wanted)] if wanted else users

    def row(self, record: User) -> dict[str, Any]:
        """See :class:`Listing`."""
        counts = self._world.remember("devices by user", lambda: Counter(d.user for d in self._world.devices.values()))
        return {
            "active": not record.archived,
            "archived": record.archived,
            "created_at": zulu(record.created),
            "department": record.department,
            "deprecated_user_id": str(record.number),
            "email": record.email,
            "id": record.id,
            "integration": None if record.number % 10 == 4 else _INTEGRATION,
            "job_title": record.job_title,
            "name": record.name,
            "device_count": counts[record],
            "updated_at": zulu(record.updated),
        }

    def find(self, key: str) -> User | None:
        """See :class:`Listing`."""
        return self._world.users.get(key)

    def position(self, record: User) -> str:
        """See :class:`Listing`."""
        return f"{10**8 - record.number:08d}"


_INTEGRATION = {"id": 634, "name": "acme", "uuid": "f7461096-4ef9-43aa-88e9-ca1967ba0b38", "type": "office365"}
_USER_FILTERS: dict[str, Callable[[User, str], bool]] = {
    "email": lambda u, wanted: wanted.lower() in u.email,
    "id": lambda u, wanted: u.id == wanted,
    "archived": lambda u, wanted: u.archived == (wanted.lower() == "true"),
}


class BlueprintList:
    """``GET /blueprints``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def records(self, query: Query, parent: Mapping[str, str]) -> Sequence[Blueprint]:
        """Filters: ``id``, ``id__in`` (a comma list), ``name`` contains."""
        wanted = [(_BLUEPRINT_FILTERS[name], value) for name, value in query.items() if name in _BLUEPRINT_FILTERS]
        return [b for b in self._world.blueprints.values() if all(passes(b, value) for passes, value in wanted)]

    def row(self, record: Blueprint) -> dict[str, Any]:
        """Older tenants do not send ``missing_computers_count`` and the times; here every third row."""
        members, missing = self._world.remember("devices by blueprint", self._counts)
        row = {
            "id": record.id,
            "name": record.name,
            "icon": "ss-files" if record.type == "map" else "ss-paintdisabled",
            "color": "aqua-800" if record.type == "map" else "aqua-500",
            "description": "" if record.number % 2 else f"Devices of {record.name}",
            "params": record.params,
            "computers_count": members[record],
            "missing_computers_count": missing[record],
            "enrollment_code": {"code": record.code, "is_active": record.number % 5 != 4},
            "type": record.type,
            "created_at": zulu(record.created),
            "updated_at": zulu(record.updated),
        }
        return {k: v for k, v in row.items() if k not in _NEWER} if record.number % 3 == 2 else row

    def _counts(self) -> tuple[Counter[Blueprint | None], Counter[Blueprint | None]]:
        devices = self._world.devices.values()
        return Counter(d.blueprint for d in devices), Counter(d.blueprint for d in devices if d.missing)

    def find(self, key: str) -> Blueprint | None:
        """See :class:`Listing`."""
        return self._world.blueprints.get(key)

    def position(self, record: Blueprint) -> str:
        """See :class:`Listing`."""
        return f"{record.number:010d}"


_NEWER = frozenset({"missing_computers_count", "created_at", "updated_at"})
_BLUEPRINT_FILTERS: dict[str, Callable[[Blueprint, str], bool]] = {
    "id": lambda b, wanted: b.id == wanted,
    "id__in": lambda b, wanted: b.id in wanted.split(","),
    "name": lambda b, wanted: wanted.lower() in b.name.lower(),
}


class LibraryItemList:
    """``GET /blueprints/{blueprint_id}/list-library-items``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def records(self, query: Query, parent: Mapping[str, str]) -> Sequence[tuple[str, str]] | None:
        """See :class:`Listing`."""
        blueprint = self._world.blueprints.get(parent["blueprint_id"])
        return None if blueprint is None else list(blueprint.items.items())

    def row(self, record: tuple[str, str]) -> dict[str, Any]:
        """See :class:`Listing`."""
        return {"id": record[0], "name": record[1]}

    def find(self, key: str) -> None:
        """Items cannot be asked for one by one."""

    def position(self, record: tuple[str, str]) -> str:
        """See :class:`Listing`."""
        return record[0]


class InventedListing:
    """A list drawn from its declaration."""

    def __init__(self, world: World, resource: Resource) -> None:
        self._resource = resource
        self._list = InventedList(world.seed, resource)

    def records(self, query: Query, parent: Mapping[str, str]) -> Sequence[dict[str, Any]]:
        """See :class:`Listing`."""
        return sorted(self._list.rows(parent), key=self.position)

    def row(self, record: dict[str, Any]) -> dict[str, Any]:
        """See :class:`Listing`."""
        return record

    def find(self, key: str) -> dict[str, Any] | None:
        """See :class:`Listing`."""
        return next((r for r in self.records({}, {}) if self.position(r).split("\t")[0] == key), None)

    def position(self, record: dict[str, Any]) -> str:
        """The key columns of the row."""
        keys = [c for c in self._resource.columns if c.key and c.name not in self._resource.parent_key]
        return "\t".join(str(record.get(c.sources[0])) for c in keys)
