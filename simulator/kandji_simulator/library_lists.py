"""The library: custom apps, profiles and scripts, in-house apps, and the categories of Self Service."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kandji_simulator.chance import lot, pick, uuid_from
from kandji_simulator.facts import items_of
from kandji_simulator.moments import DAY, zulu

if TYPE_CHECKING:  # the world owns its listings
    from kandji_simulator.world import World

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
    return uuid_from(lot("self service", name))


def _items(world: World, kind: str, make: Callable[[Json, int], Json]) -> list[Json]:
    """Library items of a kind; a tenant without blueprints has none."""
    library = world.recruiter.library
    names = items_of(kind) if world.blueprints else ()
    return [make(_item(library[name], name), lot("library", library[name])) for name in names]


def _item(identifier: str, name: str) -> Json:
    created = 19_000 * DAY + lot("made", identifier) % (900 * DAY)
    updated = created + lot("edited", identifier) % (200 * DAY)
    return {
        "id": identifier,
        "name": name,
        "active": lot("active", identifier) % 5 > 0,
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
