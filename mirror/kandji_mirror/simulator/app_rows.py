"""Rows of the Prism category apps: the many. What does not depend on the device is rendered once.

Which apps a device has follows from one of a few looks (a developer's Mac, a designer's Mac, ...) and how far down that
look's list the device goes; versions and times are drawn per device and app. Only differences are remembered.
"""

from bisect import bisect_right
from functools import cache, lru_cache, reduce
from itertools import accumulate
from typing import Any, NamedTuple

from kandji_mirror.simulator.catalogue import CURRENT, App, Bundle, Catalogue, catalogue
from kandji_mirror.simulator.chance import chance
from kandji_mirror.simulator.moments import DAY, MINUTE, offset
from kandji_mirror.simulator.prism_rows import Row, encode, identity
from kandji_mirror.simulator.records import AppState, Device

LOOKS = 48
_LAGS = (0,) * 26 + (1,) * 14 + (2,) * 8 + (3, 3, 3, 4, 4, 5, 5, 6, 7, 8, 9, 11, 13, 15, 18, 21)
"""How many releases an app is behind, each of the 64 equally likely."""
_SPREAD = (0.75, 0.85, 0.95, 1.0, 1.05, 1.15, 1.25)
"""How much more or less than the average number of apps a device has."""


class _Look(NamedTuple):
    apps: tuple[int, ...]
    rows: tuple[int, ...]


class AppRows:
    """The category apps of a fleet with about ``per_device`` rows a device, as far as the catalogue reaches."""

    def __init__(self, seed: int, per_device: int) -> None:
        self._seed = seed
        self._per_device = per_device
        self._look = lru_cache(maxsize=4 * LOOKS)(self._draw_look)

    def prepare(self, device: Device) -> None:
        """Set the two sums that are kept on the device, so that no page needs to derive all apps for them."""
        device.app_rows = sum(len(self._catalogue(device).apps[i].bundles) for i in self._drawn(device))
        device.apps_changed = device.drawn_until

    def count(self, device: Device) -> int:
        """See :class:`Category`."""
        return device.app_rows

    def latest(self, device: Device) -> int:
        """See :class:`Category`."""
        return device.apps_changed

    def rows(self, device: Device) -> list[Row]:
        """See :class:`Category`."""
        apps = self._catalogue(device)
        head = encode(identity(device))[:-1] + b',"created_at":"'
        collected = offset(device.collected or 0).encode()
        home = f"/Users/{device.account}/".encode()
        found: list[Row] = []
        for index, (version, created, updated) in self.installed(device).items():
            app, first = apps.apps[index], apps.first[index]
            seen = offset(created).encode()
            written = seen if created == updated else offset(updated).encode()
            front = b'%s%s","updated_at":"%s","last_changed_at":null,"last_collected_at":"%s"' % (
                head,
                seen,
                written,
                collected,
            )
            tails = _tails(app, version)
            if app.flavour == "home":
                tails = tuple(tail.replace(b"/Users/~/", home) for tail in tails)
            found += [Row(first + n, updated, front + tail) for n, tail in enumerate(tails)]
        return found

    def installed(self, device: Device) -> dict[int, AppState]:
        """What is on a device, by index of the app in its catalogue, in that order."""
        apps = self._catalogue(device).apps
        found = dict(zip(*self._drawn_states(device, apps), strict=True))
        if not device.apps:
            return found
        merged = {**found, **device.apps}
        return {i: state for i in sorted(merged) if (state := merged[i])}

    def put(self, device: Device, index: int, state: AppState | None) -> None:
        """Install, update or (None) remove an app."""
        before = index in self.installed(device)
        device.apps = {**(device.apps or {}), index: state}
        rows = len(self._catalogue(device).apps[index].bundles)
        device.app_rows += rows * ((state is not None) - before)
        device.apps_changed = max(device.apps_changed, state.updated if state else 0)

    def _catalogue(self, device: Device) -> Catalogue:
        return catalogue(device.platform)

    def _drawn(self, device: Device) -> list[int]:
        """The apps drawn from the seed, sorted."""
        look = self._look(device.platform, device.number % LOOKS)
        share = 1.0 if device.platform == "Mac" else 0.4
        wanted = int(self._per_device * share * _SPREAD[device.number % len(_SPREAD)] + 0.5)
        return sorted(look.apps[: bisect_right(look.rows, wanted)])

    def _drawn_states(self, device: Device, apps: tuple[App, ...]) -> tuple[list[int], list[AppState]]:
        indexes = self._drawn(device)
        draw = chance(self._seed, "apps", device.number).random
        start, end = device.first_collected, device.drawn_until
        states = []
        for index in indexes:
            one, two = draw(), draw()
            created = min(start + int(two * 5 * MINUTE), end)
            updated = created if one < 0.5 else max(created, end - int(two * 90 * DAY))
            states.append(AppState(apps[index].release(CURRENT - _LAGS[int(one * 64)]), created, updated))
        return indexes, states

    def _draw_look(self, platform: str, number: int) -> _Look:
        """A weighted shuffle of the catalogue: the greater an app's share, the further in front."""
        apps = catalogue(platform).apps
        draw = chance(self._seed, "look", platform, number)
        keys = [draw.random() ** (100 / app.share) for app in apps]
        order = sorted(range(len(apps)), key=lambda i: -keys[i])
        return _Look(tuple(order), tuple(accumulate(len(apps[i].bundles) for i in order)))


@lru_cache(maxsize=8_192)
def _tails(app: App, version: str) -> tuple[bytes, ...]:
    """The end of a row for each bundle of an app: everything that is the same on all devices."""
    short = version if app.flavour in {"ios", "tv"} else "".join(filter(str.isdigit, version))
    shown = ((_VERSION, version), (_SHORT, short))
    return tuple(reduce(_fill, shown, template) for template in _templates(app))


_VERSION, _SHORT = "{version}", "{short version}"


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


def _content(app: App, bundle: Bundle) -> dict[str, Any]:
    mobile = bundle.path is None
    return _on_mobile(app, bundle) if mobile else _on_mac(app, bundle)


def _on_mac(app: App, bundle: Bundle) -> dict[str, Any]:
    return _NOTHING | {
        "path": bundle.path,
        "obtained_from": _ORIGINS.get(app.flavour, "Identified Developer"),
        "bundle_size": "" if app.share == 3 else None,
        "bundle_id": bundle.bundle_id,
        "name": bundle.name,
        "short_version": _SHORT,
        "signature": _SIGNERS.get(app.flavour, _DEVELOPER_ID).format(app=app),
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


def _on_mobile(app: App, bundle: Bundle) -> dict[str, Any]:
    """Sizes are numbers, or texts for some apps; so are booleans."""
    size = 1_000 * (len(app.developer) * 7_919 + app.share * 997)
    spelled = app.share % 7 == 3
    flags = dict.fromkeys(_MOBILE_FLAGS, "False" if spelled else False)
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


_MOBILE_FLAGS = (
    "ad_hoc_code_signed",
    "beta_app",
    "download_canceled",
    "download_failed",
    "download_paused",
    "download_waiting",
    "has_update_available",
    "installing",
    "app_clip",
    "validated",
)
_NOTHING: dict[str, Any] = dict.fromkeys(
    (
        "path",
        "obtained_from",
        "bundle_size",
        "bundle_id",
        "name",
        "short_version",
        "signature",
        "ad_hoc_code_signed",
        "app_store_vendable",
        "beta_app",
        "device_based_vpp",
        "download_canceled",
        "download_failed",
        "download_paused",
        "download_waiting",
        "dynamic_size",
        "external_version_identifier",
        "has_update_available",
        "installing",
        "version",
        "app_clip",
        "validated",
        "executable",
        "bundle_name",
        "bundle_type",
        "environment_variables",
        "compiler",
        "bundle_region",
        "bundle_display_name",
        "info",
        "minimum_system_version",
        "category",
        "apple_scriptable",
        "copyright",
        "developer_name",
        "team_id",
    )
)
"""Every own column of an app row, in the provider's order, empty."""
