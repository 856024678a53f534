"""Blueprints and what is assigned to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kandji_simulator.listings import Listing, Query
from kandji_simulator.moments import zulu
from kandji_simulator.records import Blueprint

if TYPE_CHECKING:  # the world owns its listings
    from kandji_simulator.world import World


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
