"""Apps: rows of the Prism category, which are the many, and the way round Prism, asked for device by device.

What does not depend on the device is rendered once an app and version.
"""

import json
from collections.abc import Callable
from functools import cache, lru_cache, reduce
from typing import Any

from kandji_schema.columns import Kind
from kandji_schema.registry import resource
from kandji_simulator.tables.listing import DeviceRows, Json
from kandji_simulator.tables.prism import TIMES, Category, Record, Row, Spelling, cell, encode, identity
from kandji_simulator.tables.registry import Makers
from kandji_simulator.tables.samples import RowTemplate
from kandji_simulator.world.catalogue import App, Bundle, catalogue
from kandji_simulator.world.installed_apps import InstalledApps
from kandji_simulator.world.records import AppState, Device
from kandji_simulator.world.rng import stable_hash, uuid_from
from kandji_simulator.world.seed_data import FACTS
from kandji_simulator.world.state import TenantState
from kandji_simulator.world.time import offset, zulu

_HOME = b"/Users/~/"
"""Stands for the home folder of the device's user."""


class AppRows(Category):
    """The Prism category apps: see :class:`Category`."""

    def __init__(self, apps: InstalledApps) -> None:
        super().__init__(tuple(_NOTHING))
        self._apps = apps

    def count(self, device: Device) -> int:
        """See :class:`Category`."""
        return device.app_rows

    def latest(self, device: Device) -> int:
        """See :class:`Category`."""
        return device.apps_changed

    def counted(self, device: Device, since: int) -> int:
        """See :class:`Category`."""
        apps = catalogue(device.platform).apps
        return sum(len(apps[index].bundles) for index in self._apps.installed(device, since))

    def records(self, device: Device, since: int = 0) -> list[Record]:
        """See :class:`Category`."""
        return [Record(row.position, row.updated, json.loads(row.text)) for row in self.rows(device, since)]

    def rows(self, device: Device, since: int = 0) -> list[Row]:
        """See :class:`Category`."""
        apps = catalogue(device.platform)
        head = encode(identity(device))[:-1] + b',"created_at":"'
        collected = offset(device.collected or 0).encode()
        found: list[Row] = []
        for index, (version, created, updated) in self._apps.installed(device, since).items():
            app = apps.apps[index]
            seen, written = offset(created).encode(), offset(updated).encode()
            times = b'","updated_at":"%s","last_changed_at":null,"last_collected_at":"%s"' % (written, collected)
            for n, tail in enumerate(_on_device(device, app, tails(app, version)), apps.first[index]):
                found.append(Row(n, updated, head + seen + times + tail))  # two loops in one is no help
        return found

    def csv(self, device: Device, names: tuple[str, ...], spelling: Spelling) -> list[bytes]:
        """See :class:`Category`."""
        known = identity(device)
        front = [cell(known[name], spelling) for name in names if name in known]
        asked = [TIMES.index(name) for name in names if name in TIMES]
        own = tuple(name for name in names if name not in known and name not in TIMES)
        ends = csv_tails(own, spelling)
        comma = b"," if own and (front or asked) else b""
        collected = offset(device.collected or 0).encode()
        apps = catalogue(device.platform).apps
        found: list[bytes] = []
        for index, (version, created, updated) in self._apps.installed(device).items():
            stamps = (offset(created).encode(), offset(updated).encode(), b"", collected)
            start = b",".join(front + [stamps[n] for n in asked]) + comma
            found += [start + end for end in _on_device(device, apps[index], ends(apps[index], version))]
        return found


def _on_device(device: Device, app: App, ends: tuple[bytes, ...]) -> tuple[bytes, ...]:
    home = f"/Users/{device.account}/".encode()
    return tuple(end.replace(_HOME, home) for end in ends) if app.flavour == "home" else ends


@lru_cache(maxsize=16_384)
def tails(app: App, version: str) -> tuple[bytes, ...]:
    """Return the end of a row for each bundle of an app: everything that is the same on all devices."""
    shown = ((_VERSION, version), (_SHORT, _short(app, version)))
    return tuple(reduce(_fill, shown, template) for template in _templates(app))


@lru_cache(maxsize=8)
def csv_tails(names: tuple[str, ...], spelling: Spelling) -> Callable[[App, str], tuple[bytes, ...]]:
    """Return a function that gives the same as ends of lines of CSV: those columns of a row that ``names`` lists."""

    @lru_cache(maxsize=16_384)
    def ends(app: App, version: str) -> tuple[bytes, ...]:
        shown = {_VERSION: version, _SHORT: _short(app, version)}
        contents = (_content(app, bundle) for bundle in app.bundles)
        return tuple(b",".join(cell(_shown(shown, c[n]), spelling) for n in names) + b"\r\n" for c in contents)

    return ends


def _shown(versions: dict[str, str], value: Any) -> Any:
    return versions.get(value, value) if isinstance(value, str) else value


def _short(app: App, version: str) -> str:
    return version if app.flavour in {"ios", "tv"} else "".join(filter(str.isdigit, version))


_VERSION, _SHORT = "{version}", "{short version}"
"""Blanks: what stands in a template where a row has its version."""


def _fill(template: bytes, blank: tuple[str, str]) -> bytes:
    return template.replace(blank[0].encode(), encode(blank[1])[1:-1])


@cache
def _templates(app: App) -> tuple[bytes, ...]:
    return tuple(b"," + encode(_content(app, bundle))[1:] for bundle in app.bundles)


_DEVELOPER_ID = (
    "Developer ID Application: {app.developer} ({app.team_id}), Developer ID Certification Authority, Apple Root CA"
)
_SIGNERS = {
    "system": "Software Signing, Apple Code Signing Certification Authority, Apple Root CA",
    "store": "Apple Mac OS Application Signing, Apple Worldwide Developer Relations Certification Authority, "
    "Apple Root CA",
}
_SIGNERS["utility"] = _SIGNERS["system"]
_ORIGINS = {"system": "Apple", "utility": "Apple", "store": "App Store"}


def _content(app: App, bundle: Bundle) -> Json:
    return _on_mobile(app, bundle) if bundle.path is None else _on_mac(app, bundle)


def signature(app: App) -> str:
    """Return the chain of authorities that signed it."""
    return _SIGNERS.get(app.flavour, _DEVELOPER_ID).format(app=app)


def origin(app: App) -> str:
    """Return where it came from."""
    return _ORIGINS.get(app.flavour, "Identified Developer")


def _on_mac(app: App, bundle: Bundle) -> Json:
    return _NOTHING | {
        "path": bundle.path,
        "obtained_from": origin(app),
        "bundle_size": "" if app.share == 3 else None,
        "bundle_id": bundle.bundle_id,
        "name": bundle.name,
        "short_version": _SHORT,
        "signature": signature(app),
        "app_store_vendable": "" if app.share == 4 else None,
        "version": _VERSION,
        "executable": bundle.name,
        "bundle_name": bundle.name,
        "bundle_type": "APPL",
        "compiler": "com.apple.compilers.llvm.clang.1_0",
        "bundle_region": "en",
        "minimum_system_version": "10.13",
        "category": f"public.app-category.{app.category}",
        "apple_scriptable": True if app.flavour in _ORIGINS else None,
        "copyright": f"Copyright © {app.developer} All rights reserved.",
        "developer_name": app.developer,
        "team_id": app.team_id,
    }


def _on_mobile(app: App, bundle: Bundle) -> Json:
    """Return the columns of iOS and tvOS: sizes are numbers, or texts for some apps; so are booleans."""
    size = 1_000 * (len(app.developer) * 7_919 + app.share * 997)
    spelled = app.share % 7 == 3
    flags = dict.fromkeys(_FLAGS, "False" if spelled else False)
    return (
        _NOTHING
        | flags
        | {
            "bundle_size": str(size) if spelled else size,
            "bundle_id": bundle.bundle_id,
            "name": bundle.name,
            "short_version": _SHORT,
            "app_store_vendable": "True" if spelled else True,
            "device_based_vpp": "True" if spelled else True,
            "dynamic_size": size // 3,
            "external_version_identifier": str(860_000_000 + size // 1_000),
            "version": _VERSION,
        }
    )


_TEMPLATE = RowTemplate(resource("apps"))
_NOTHING: Json = dict.fromkeys(_TEMPLATE.fields)
"""Every own column of an app row, empty."""
_FLAGS = tuple(c.name for c in _TEMPLATE.columns if c.kind is Kind.BOOLEAN and c.name != "apple_scriptable")


def device_apps(state: TenantState, device: Device) -> list[Json]:
    """Return the rows Prism has of an Apple device, under other names; a few of Windows and Android devices."""
    if device.platform == "Windows":
        return [dict(app) for app in FACTS["windows_apps"]]
    if device.platform == "Android":
        return [_android(app) for app in FACTS["android_apps"]]
    if device.collected is None:
        return []
    apps = catalogue(device.platform).apps
    make = _listed_on_mac if device.platform == "Mac" else _listed_on_mobile
    found = ((apps[index], state) for index, state in state.apps.installed(device).items())
    return [make(device, app, bundle, state) for app, state in found for bundle in app.bundles]


def _listed_on_mac(device: Device, app: App, bundle: Bundle, state: AppState) -> Json:
    return {
        **_UNSAID,
        "app_id": str(stable_hash("app", device.id, bundle.path) % 90_000 + 10_000),
        "app_name": bundle.name,
        "bundle_id": bundle.bundle_id or "",
        "source": origin(app),
        "process": bundle.name,
        "signature": signature(app),
        "creation_date": zulu(state.created),
        "modification_date": zulu(state.updated),
        "path": (bundle.path or "").replace("/Users/~/", f"/Users/{device.account}/"),
        "version": state.version,
    }


def _listed_on_mobile(device: Device, app: App, bundle: Bundle, state: AppState) -> Json:
    return {
        **_UNSAID,
        "app_id": uuid_from(stable_hash("app", device.id, bundle.bundle_id)),
        "app_name": bundle.name,
        "bundle_id": bundle.bundle_id,
        "bundle_size": str(1_000 * (len(app.developer) * 7_919 + app.share * 997)),
        "app_store_vendable": "True",
        "device_based_vpp": "True",
        "version": state.version,
    }


_UNSAID = dict.fromkeys(("bundle_size", "app_store_vendable", "device_based_vpp", "source", "process", "signature"), "")
_UNSAID |= dict.fromkeys(("creation_date", "modification_date", "path"), "")
"""Fields that some platforms leave empty."""


def _android(app: Json) -> Json:
    number = stable_hash("android app", app["package_name"])
    return {**app, "sha256_hash": f"{number:064x}", "sha1_hashes": [f"{number:040x}"]}


MAKERS: Makers = {
    "apps": lambda tables: AppRows(tables.state.apps),
    "device_apps": lambda tables: DeviceRows(tables.state, lambda device: device_apps(tables.state, device)),
}
