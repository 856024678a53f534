"""The list of people: ``GET /users``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kandji_simulator.tables.listing import Listing, Query
from kandji_simulator.world.records import Blueprint, User
from kandji_simulator.world.time import zulu

if TYPE_CHECKING:
    from kandji_simulator.world.world import World


class UserList(Listing):
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


class BlueprintList(Listing):
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


class LibraryItemList(Listing):
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


_SPARE = 50
"""Licences nobody uses."""


def tags(world: World) -> list[dict[str, Any]]:
    """Names as they stand on devices."""
    return [{"id": identifier, "name": name} for name, identifier in world.tags.items()]


def licensing(world: World) -> list[dict[str, Any]]:
    """The one object: devices of all platforms, and of Apple's by platform."""
    platforms = Counter(device.platform for device in world.devices.values())
    counts = {
        "computers_count": platforms.total(),
        "macos_count": platforms["Mac"],
        "ios_count": platforms["iPhone"],
        "ipados_count": platforms["iPad"],
        "tvos_count": platforms["AppleTV"],
    }
    limits = {
        "plan_type": "single_limit",
        "max_devices": -(-platforms.total() // 100) * 100 + _SPARE,
        "max_devices_per_platform": {"macos": 0, "ios_ipados": 0},
    }
    return [{"counts": counts, "limits": limits, "tenantOverLicenseLimit": False}]
