"""The library: custom apps, profiles and scripts, in-house apps, and the categories of Self Service."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kandji_simulator.tables.device_reports import library_items
from kandji_simulator.tables.listing import Listing, Query
from kandji_simulator.world.rng import pick, stable_hash, uuid_from
from kandji_simulator.world.seed_data import items_of
from kandji_simulator.world.time import DAY, zulu

if TYPE_CHECKING:
    from kandji_simulator.world.audit_log import AuditEvent
    from kandji_simulator.world.world import World

Json = dict[str, Any]
_CATEGORIES = ("Apps", "Productivity", "Utilities", "Security")
_TENANT = "28344fcc-579a-4d42-bcf7-cdbf97585066"


def custom_apps(world: World) -> list[Json]:
    """Some lack the newer fields."""
    return _items(world, "custom-app", _custom_app)


def custom_profiles(world: World) -> list[Json]:
    """Some lack the flags of newer platforms."""
    return _items(world, "custom-profile", _custom_profile)


def custom_scripts(world: World) -> list[Json]:
    """Some lack the fields of Self Service."""
    return _items(world, "custom-script", _custom_script)


def in_house_apps(world: World) -> list[Json]:
    """Apps for iPhones and iPads that no store has."""
    return _items(world, "ipa-app", _in_house_app)


def self_service_categories(world: World) -> list[Json]:
    """The same in every tenant."""
    return [{"id": _category_id(name), "name": name} for name in _CATEGORIES]


def _category_id(name: str) -> str:
    return uuid_from(stable_hash("self service", name))


def _items(world: World, kind: str, make: Callable[[Json, int], Json]) -> list[Json]:
    """Library items of a kind; a tenant without blueprints has none."""
    library = world.generator.library
    names = items_of(kind) if world.blueprints else ()
    return [make(_item(library[name], name), stable_hash("library", library[name])) for name in names]


def _item(identifier: str, name: str) -> Json:
    created = 19_000 * DAY + stable_hash("made", identifier) % (900 * DAY)
    updated = created + stable_hash("edited", identifier) % (200 * DAY)
    return {
        "id": identifier,
        "name": name,
        "active": stable_hash("active", identifier) % 5 > 0,
        "created_at": zulu(created),
        "updated_at": zulu(updated),
    }


def _self_service(number: int) -> Json:
    shown = number % 2 == 0
    category = _category_id(pick(number, _CATEGORIES, 1)) if shown else None
    return {"show_in_self_service": shown, "self_service_category_id": category, "self_service_recommended": False}


def _custom_app(item: Json, number: int) -> Json:
    key = f"companies/companies/{_TENANT}/library/custom_apps/{item['name'].split()[0]}_{number % 2**32:08x}.pkg"
    newer = {"sha256": f"{number:064x}", **_self_service(number)}
    return {
        **item,
        "file_key": key,
        "install_type": pick(number, ("package", "zip", "image")),
        "install_enforcement": pick(number, ("install_once", "continuously_enforce", "no_enforcement"), 1),
        "audit_script": "" if number % 2 else "#!/bin/zsh\nexit 0\n",
        "unzip_location": "",
        "restart": False,
        "preinstall_script": "",
        "postinstall_script": "#!/bin/zsh\necho 'fertig ✓'\n" if number % 3 == 0 else "",
        "file_url": f"https://storage.example.net/{key}?signature={number:x}",
        "file_size": number % 400_000_000,
        "file_updated": f"{item['created_at'][:19]}Z",
        **(newer if number % 3 else {"show_in_self_service": False}),
    }


def _custom_profile(item: Json, number: int) -> Json:
    newer = {"runs_on_vision": False, "runs_on_android": False, "runs_on_windows": False}
    identifier = f"com.kandji.profile.custom.{item['id']}"
    return {
        **item,
        "profile": f'<?xml version="1.0"?><plist><dict><key>PayloadIdentifier</key><string>{identifier}</string>'
        "</dict></plist>",
        "mdm_identifier": identifier,
        "runs_on_mac": True,
        "runs_on_iphone": number % 2 == 0,
        "runs_on_ipad": number % 2 == 0,
        "runs_on_tv": False,
        **(newer if number % 3 else {}),
    }


def _custom_script(item: Json, number: int) -> Json:
    return {
        **item,
        "execution_frequency": pick(number, ("once", "every_15_min", "every_day", "no_enforcement")),
        "restart": False,
        "script": f'#!/bin/zsh\necho "{item["name"]}"\n',
        "remediation_script": "" if number % 2 else "#!/bin/zsh\nexit 1\n",
        **(_self_service(number) if number % 3 else {}),
    }


def _in_house_app(item: Json, number: int) -> Json:
    file = f"tenants/{_TENANT}/library/ipa_apps/{item['name'].replace(' ', '')}_{number % 2**32:08x}"
    identifier = f"com.example.{item['name'].lower().replace(' ', '.')}"
    return {
        **item,
        "file_key": f"{file}.ipa",
        "icon": f"{file}-Icon.png",
        "ipad_icon": f"{file}-IpadIcon.png",
        "identifier": identifier,
        "app_identifier": identifier,
        "app_name": item["name"],
        "app_version": f"1.{number % 9}.{number % 4}",
        "supported_device_families": ["iPhone", "iPad"],
        "minimum_os_version": "17.5",
        "file_url": f"https://storage.example.net/{file}.ipa?auth={number:x}",
        "sha256": f"{number:064x}",
        "file_size": number % 40_000_000,
        "file_updated": f"{item['created_at'][:19]}Z",
        "runs_on_iphone": True,
        "runs_on_ipad": True,
        "runs_on_tv": False,
        "runs_on_mac": False,
        "runs_on_ipod": False,
        "runs_on_watch": False,
    }


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
        return self._of(item, query) if item in self._world.generator.library.values() else None

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
