"""Apps of one device, asked for device by device: ``GET /devices/{device_id}/apps``, in the shape of its platform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kandji_simulator.app_content import origin, signature
from kandji_simulator.catalogue import App, Bundle, catalogue
from kandji_simulator.chance import lot, uuid_from
from kandji_simulator.facts import FACTS
from kandji_simulator.moments import zulu
from kandji_simulator.records import AppState, Device

if TYPE_CHECKING:  # the world owns its listings
    from kandji_simulator.world import World

Json = dict[str, Any]


def device_apps(world: World, device: Device) -> list[Json]:
    """The rows Prism has of an Apple device, under other names; a few of Windows and Android devices."""
    if device.platform == "Windows":
        return [dict(app) for app in FACTS["windows_apps"]]
    if device.platform == "Android":
        return [_android(app) for app in FACTS["android_apps"]]
    if device.collected is None:
        return []
    apps = catalogue(device.platform).apps
    make = _on_mac if device.platform == "Mac" else _on_mobile
    found = ((apps[index], state) for index, state in world.apps.installed(device).items())
    return [make(device, app, bundle, state) for app, state in found for bundle in app.bundles]


def _on_mac(device: Device, app: App, bundle: Bundle, state: AppState) -> Json:
    number = lot("app", device.id, bundle.path)
    return {
        "app_id": str(number % 90_000 + 10_000),
        "app_name": bundle.name,
        "bundle_id": bundle.bundle_id or "",
        "bundle_size": "",
        "app_store_vendable": "",
        "device_based_vpp": "",
        "source": origin(app),
        "process": bundle.name,
        "signature": signature(app),
        "creation_date": zulu(state.created),
        "modification_date": zulu(state.updated),
        "path": (bundle.path or "").replace("/Users/~/", f"/Users/{device.account}/"),
        "version": state.version,
    }


def _on_mobile(device: Device, app: App, bundle: Bundle, state: AppState) -> Json:
    return {
        "app_id": uuid_from(lot("app", device.id, bundle.bundle_id)),
        "app_name": bundle.name,
        "bundle_id": bundle.bundle_id,
        "bundle_size": str(1_000 * (len(app.developer) * 7_919 + app.share * 997)),
        "app_store_vendable": "True",
        "device_based_vpp": "True",
        "source": "",
        "process": "",
        "signature": "",
        "creation_date": "",
        "modification_date": "",
        "path": "",
        "version": state.version,
    }


def _android(app: Json) -> Json:
    number = lot("android app", app["package_name"])
    return {**app, "sha256_hash": f"{number:064x}", "sha1_hashes": [f"{number:040x}"]}
