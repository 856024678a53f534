"""Rows of the Prism category apps: the many. What does not depend on the device is rendered once.

Which apps a device has follows from one of a few looks (a developer's Mac, a designer's Mac, ...) and how far down that
look's list the device goes; versions and times are drawn per device and app. Only differences are remembered.
"""

from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from kandji_simulator.tables.app_content import COLUMNS, csv_tails, tails
from kandji_simulator.tables.prism import IDENTITY, TIMES, Row, Spelling, cell, encode, identity
from kandji_simulator.world.catalogue import CURRENT, App, Catalogue, catalogue
from kandji_simulator.world.records import AppState, Device
from kandji_simulator.world.rng import rng
from kandji_simulator.world.time import DAY, MINUTE, offset

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

    @property
    def columns(self) -> tuple[str, ...]:
        """See :class:`Category`."""
        return COLUMNS

    def counted(self, device: Device, since: int) -> int:
        """See :class:`Category`."""
        apps = self._catalogue(device).apps
        return sum(len(apps[index].bundles) for index in self._written(device, since))

    def rows(self, device: Device, since: int = 0) -> list[Row]:
        """See :class:`Category`."""
        apps = self._catalogue(device)
        head = encode(identity(device))[:-1] + b',"created_at":"'
        collected = offset(device.collected or 0).encode()
        home = f"/Users/{device.account}/".encode()
        found: list[Row] = []
        for index, (version, created, updated) in self._written(device, since).items():
            app, first = apps.apps[index], apps.first[index]
            seen = offset(created).encode()
            written = seen if created == updated else offset(updated).encode()
            front = b'%s%s","updated_at":"%s","last_changed_at":null,"last_collected_at":"%s"' % (
                head,
                seen,
                written,
                collected,
            )
            for n, tail in enumerate(tails(app, version), first):
                end = tail.replace(b"/Users/~/", home) if app.flavour == "home" else tail
                found.append(Row(n, updated, front + end))
        return found

    def csv(self, device: Device, names: tuple[str, ...], spelling: Spelling) -> list[bytes]:
        """See :class:`Category`."""
        apps = self._catalogue(device).apps
        known = identity(device)
        front = [cell(known[name], spelling) for name in names if name in IDENTITY]
        asked = [TIMES.index(name) for name in names if name in TIMES]
        own = tuple(name for name in names if name not in IDENTITY and name not in TIMES)
        ends = csv_tails(own, spelling)
        comma = b"," if own and (front or asked) else b""
        collected = offset(device.collected or 0).encode()
        home = f"/Users/{device.account}/".encode()
        found: list[bytes] = []
        for index, (version, created, updated) in self.installed(device).items():
            app, seen = apps[index], offset(created).encode()
            stamps = (seen, seen if created == updated else offset(updated).encode(), b"", collected)
            start = b",".join(front + [stamps[n] for n in asked]) + comma
            at_home = app.flavour == "home"
            found += [start + (e.replace(b"/Users/~/", home) if at_home else e) for e in ends(app, version)]
        return found

    def installed(self, device: Device) -> dict[int, AppState]:
        """What is on a device, by index of the app in its catalogue, in that order."""
        apps = self._catalogue(device).apps
        found = dict(zip(*self._drawn_states(device, apps), strict=True))
        if not device.apps:
            return found
        merged = {**found, **device.apps}
        return {i: state for i in sorted(merged) if (state := merged[i])}

    def _written(self, device: Device, since: int) -> dict[int, AppState]:
        """What was installed or changed since then; nothing of what is drawn comes after ``drawn_until``."""
        if not since:
            return self.installed(device)
        if since <= device.drawn_until:
            return {i: state for i, state in self.installed(device).items() if state.updated >= since}
        changes = device.apps or {}
        return {i: state for i in sorted(changes) if (state := changes[i]) and state.updated >= since}

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
        draw = rng(self._seed, "apps", device.number).random
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
        draw = rng(self._seed, "look", platform, number)
        keys = [draw.random() ** (100 / app.share) for app in apps]
        order = sorted(range(len(apps)), key=lambda i: -keys[i])
        return _Look(tuple(order), tuple(accumulate(len(apps[i].bundles) for i in order)))
