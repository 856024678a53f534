"""The library: custom apps, profiles and scripts, in-house apps, categories of Self Service, and what became of items.

Lists of items are generated; here is which items there are, and what has to agree with other tables.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from kandji_schema.registry import resource
from kandji_simulator.tables.device_reports import library_items
from kandji_simulator.tables.listing import Json, Listing, Query
from kandji_simulator.tables.registry import Makers, Tables
from kandji_simulator.world.audit_log import AuditEvent
from kandji_simulator.world.rng import stable_hash, uuid_from
from kandji_simulator.world.seed_data import FACTS
from kandji_simulator.world.state import TenantState
from kandji_simulator.world.time import DAY, zulu

_KINDS = {
    "custom_apps": "custom-app",
    "custom_profiles": "custom-profile",
    "custom_scripts": "custom-script",
    "in_house_apps": "ipa-app",
}
_NEWER = frozenset(
    {"sha256", "self_service_category_id", "self_service_recommended"}
    | {"runs_on_vision", "runs_on_android", "runs_on_windows"}
)
"""Fields that older items lack."""
_SCRIPTS = {"audit_script": "#!/bin/zsh\nexit 0\n", "postinstall_script": "#!/bin/zsh\necho 'fertig ✓'\n"}
_FIRST_NUMBER = 1_000
_ON_DEVICES_ONLY = ("item_id", "name", "type")
"""What a row says where it is asked for by device, and not where the item is the one that was asked for."""


def _list_of(table: str, tables: Tables) -> Listing:
    return tables.generated(table, lambda: _items(tables.state, table), newer=_NEWER)


def _items(state: TenantState, table: str) -> Iterator[Json]:
    """Yield what is known of the library items of a kind; a tenant without blueprints has none."""
    for name in FACTS["library"][_KINDS[table]] if state.blueprints else ():
        identifier = state.generator.library[name]
        created = 19_000 * DAY + stable_hash("made", identifier) % (900 * DAY)
        updated = created + stable_hash("edited", identifier) % (200 * DAY)
        item = {"id": identifier, "name": name, "created_at": zulu(created), "updated_at": zulu(updated)}
        if table == "custom_profiles":
            yield item | {"mdm_identifier": f"com.kandji.profile.custom.{identifier}"}
        elif table == "custom_scripts":
            yield item
        else:
            upload = item | _upload(name, stable_hash("library", identifier))
            yield upload | (_SCRIPTS if table == "custom_apps" else {"app_name": name})


def _upload(name: str, number: int) -> Json:
    key = f"companies/library/{name.replace(' ', '')}_{number % 2**32:08x}.{'ipa' if number % 2 else 'pkg'}"
    return {
        "file_key": key,
        "file_url": f"https://storage.example.net/{key}?signature={number:x}",
        "sha256": f"{number:064x}",
    }


def _categories() -> Iterator[Json]:
    """Yield the categories of Self Service: the same in every tenant."""
    names = next(c for c in resource("self_service_categories").columns if c.name == "name").samples
    return ({"id": uuid_from(stable_hash("self service", name)), "name": name} for name in names)


class _OfItem(Listing):
    """Rows of one library item, the newest first; None for an item the tenant does not have."""

    def records(self, query: Query, parent: Mapping[str, str]) -> Sequence[Json] | None:
        """See :class:`Listing`."""
        item = parent["item_id"]
        return self._rows_of(item, query) if item in self._state.generator.library.values() else None

    def _rows_of(self, item: str, query: Query) -> Sequence[Json]:
        raise NotImplementedError

    def position(self, record: Json) -> str:
        """See :class:`Listing`."""
        return f"{record['id']:012d}"


class LibraryItemActivity(_OfItem):
    """``GET /library/library-items/{library_item_id}/activity``: what was done with the item."""

    def _rows_of(self, item: str, query: Query) -> Sequence[Json]:
        events = [e for e in self._state.audit.events if (e.target_type, e.target_id) == ("library_item", item)]
        return [*(self._edited(event) for event in events[::-1]), _created(item)]

    def _edited(self, event: AuditEvent) -> Json:
        _, actor = self._state.audit.actor(event)
        return {
            "id": _FIRST_NUMBER + event.number,
            "activity_time": zulu(event.moment),
            "activity_type": "library_item_edited",
            "user_id": actor,
            "user_email": "robin@example.com",
            "details": [f"Active: {event.state.get('active')}"],
        }


def _created(item: str) -> Json:
    drawn = stable_hash("made", item)
    return {
        "id": drawn % _FIRST_NUMBER,
        "activity_time": zulu(19_000 * DAY + drawn % (900 * DAY)),
        "activity_type": "library_item_created",
        "user_id": None,
        "user_email": "",
        "details": None,
    }


class LibraryItemStatus(_OfItem):
    """``GET /library/library-items/{library_item_id}/status``: how it fares on all devices, or on ``computer_id``."""

    def _rows_of(self, item: str, query: Query) -> Sequence[Json]:
        rows = self._state.remember("status by library item", self._by_item)[item]
        asked = query.get("computer_id")
        return [row for row in rows if asked in (None, row["computer"]["id"])]

    def _by_item(self) -> Mapping[str, list[Json]]:
        found: defaultdict[str, list[Json]] = defaultdict(list)
        for device in self._state.devices_from(""):
            blueprint = device.blueprint
            where = {"id": blueprint.id, "name": blueprint.name} if blueprint else None
            for row in library_items(device):
                own = {name: value for name, value in row.items() if name not in _ON_DEVICES_ONLY}
                about = {"blueprint": where, "computer": {"id": device.id, "name": device.name}}
                found[row["item_id"]].append({**own, **about, "last_audit_run": None, "control_log": None})
        return found


MAKERS: Makers = {
    **{table: partial(_list_of, table) for table in _KINDS},
    "self_service_categories": lambda tables: tables.generated("self_service_categories", _categories),
    "library_item_activity": lambda tables: LibraryItemActivity(tables.state),
}
