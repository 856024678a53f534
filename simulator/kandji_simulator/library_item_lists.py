"""What is told of one library item: what was done with it, and how it fares on every device."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kandji_simulator.chance import lot
from kandji_simulator.device_status import library_items
from kandji_simulator.listings import Listing, Query
from kandji_simulator.moments import DAY, zulu

if TYPE_CHECKING:  # the world owns its listings
    from kandji_simulator.audit import AuditEvent
    from kandji_simulator.world import World

Json = dict[str, Any]
_FIRST_NUMBER = 1_000
_ON_DEVICES_ONLY = ("item_id", "name", "type")
"""What a row says where it is asked for by device, and not where the item is the one that was asked for."""


class _OfItem(Listing):
    """Rows of one library item, the newest first."""

    def __init__(self, world: World) -> None:
        self._world = world

    def records(self, query: Query, parent: Mapping[str, str]) -> Sequence[Json] | None:
        """See :class:`Listing`; None for an item the tenant does not have."""
        item = parent["item_id"]
        return self._of(item, query) if item in self._world.recruiter.library.values() else None

    def _of(self, item: str, query: Query) -> Sequence[Json]:
        raise NotImplementedError

    def row(self, record: Json) -> Json:
        """See :class:`Listing`."""
        return record

    def find(self, key: str) -> None:
        """They cannot be asked for one by one."""

    def position(self, record: Json) -> str:
        """See :class:`Listing`."""
        return f"{record['id']:012d}"


class LibraryItemActivity(_OfItem):
    """``GET /library/library-items/{library_item_id}/activity``."""

    def _of(self, item: str, query: Query) -> Sequence[Json]:
        events = [e for e in self._world.audit.events if (e.target_type, e.target_id) == ("library_item", item)]
        return [*(self._edited(event) for event in events[::-1]), _created(item)]

    def _edited(self, event: AuditEvent) -> Json:
        _, actor = self._world.audit.actor(event)
        return {
            "id": _FIRST_NUMBER + event.number,
            "activity_time": zulu(event.moment),
            "activity_type": "library_item_edited",
            "user_id": actor,
            "user_email": "robin@example.com",
            "details": [f"Active: {event.state.get('active')}"],
        }


def _created(item: str) -> Json:
    drawn = lot("made", item)
    return {
        "id": drawn % _FIRST_NUMBER,
        "activity_time": zulu(19_000 * DAY + drawn % (900 * DAY)),
        "activity_type": "library_item_created",
        "user_id": None,
        "user_email": "",
        "details": None,
    }


class LibraryItemStatus(_OfItem):
    """``GET /library/library-items/{library_item_id}/status``: the rows of all devices, or of ``computer_id``."""

    def _of(self, item: str, query: Query) -> Sequence[Json]:
        rows = self._world.remember("status by library item", self._by_item)[item]
        asked = query.get("computer_id")
        return [row for row in rows if asked in (None, row["computer"]["id"])]

    def _by_item(self) -> Mapping[str, list[Json]]:
        found: defaultdict[str, list[Json]] = defaultdict(list)
        for device in self._world.devices_from(""):
            blueprint = device.blueprint
            where = {"id": blueprint.id, "name": blueprint.name} if blueprint else None
            for row in library_items(self._world, device):
                own = {name: value for name, value in row.items() if name not in _ON_DEVICES_ONLY}
                about = {"blueprint": where, "computer": {"id": device.id, "name": device.name}}
                found[row["item_id"]].append({**own, **about, "last_audit_run": None, "control_log": None})
        return found
