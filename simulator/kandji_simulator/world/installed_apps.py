"""Which apps are on which device, in which version, since when. Only differences from what is drawn are remembered.

Which apps a device has follows from one of a few looks (a developer's Mac, a designer's Mac, ...) and how far down that
look's list the device goes; versions and times are drawn per device and app.
"""

from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from kandji_simulator.world.catalogue import CURRENT, App, catalogue
from kandji_simulator.world.records import AppState, Device
from kandji_simulator.world.rng import rng
from kandji_simulator.world.time import DAY, MINUTE

LOOKS = 48
_LAGS = (0,) * 26 + (1,) * 14 + (2,) * 8 + (3, 3, 3, 4, 4, 5, 5, 6, 7, 8, 9, 11, 13, 15, 18, 21)
"""How many releases an app is behind, each of the 64 equally likely."""
_SPREAD = (0.75, 0.85, 0.95, 1.0, 1.05, 1.15, 1.25)
"""How much more or less than the average number of apps a device has."""


class _Look(NamedTuple):
    apps: tuple[int, ...]
    rows: tuple[int, ...]


class InstalledApps:
    """The apps of a fleet with about ``per_device`` rows a device, as far as the catalogue reaches."""

    def __init__(self, seed: int, per_device: int) -> None:
        self._seed = seed
        self._per_device = per_device
        self._look = lru_cache(maxsize=4 * LOOKS)(self._draw_look)

    def prepare(self, device: Device) -> None:
        """Set the two sums that are kept on the device, so that no page needs to derive all apps for them."""
        device.app_rows = sum(len(catalogue(device.platform).apps[i].bundles) for i in self._drawn(device))
        device.apps_changed = device.drawn_until

    def installed(self, device: Device, since: int = 0) -> dict[int, AppState]:
        """Return what is on a device, by index of the app in its catalogue; what was not changed ``since`` left out.

        Nothing of what is drawn comes after ``drawn_until``.
        """
        changes = device.apps or {}
        late = since > device.drawn_until
        merged = changes if late else {**self._drawn_states(device), **changes}
        order = sorted(merged) if changes else merged
        return {i: state for i in order if (state := merged[i]) and state.updated >= since}

    def put(self, device: Device, index: int, state: AppState | None) -> None:
        """Install, update or (None) remove an app."""
        before = index in self.installed(device)
        device.apps = {**(device.apps or {}), index: state}
        rows = len(catalogue(device.platform).apps[index].bundles)
        device.app_rows += rows * ((state is not None) - before)
        device.apps_changed = max(device.apps_changed, state.updated if state else 0)

    def _drawn(self, device: Device) -> list[int]:
        """Return the apps drawn from the seed, sorted."""
        look = self._look(device.platform, device.number % LOOKS)
        share = 1.0 if device.platform == "Mac" else 0.4
        wanted = int(self._per_device * share * _SPREAD[device.number % len(_SPREAD)] + 0.5)
        return sorted(look.apps[: bisect_right(look.rows, wanted)])

    def _drawn_states(self, device: Device) -> dict[int, AppState | None]:
        apps: tuple[App, ...] = catalogue(device.platform).apps
        draw = rng(self._seed, "apps", device.number).random
        start, end = device.first_collected, device.drawn_until
        states: dict[int, AppState | None] = {}
        for index in self._drawn(device):
            one, two = draw(), draw()
            created = min(start + int(two * 5 * MINUTE), end)
            updated = created if one < 0.5 else max(created, end - int(two * 90 * DAY))
            states[index] = AppState(apps[index].release(CURRENT - _LAGS[int(one * 64)]), created, updated)
        return states

    def _draw_look(self, platform: str, number: int) -> _Look:
        """Shuffle the catalogue by weight: the greater an app's share, the further in front."""
        apps = catalogue(platform).apps
        draw = rng(self._seed, "look", platform, number)
        keys = [draw.random() ** (100 / app.share) for app in apps]
        order = sorted(range(len(apps)), key=lambda i: -keys[i])
        return _Look(tuple(order), tuple(accumulate(len(apps[i].bundles) for i in order)))
