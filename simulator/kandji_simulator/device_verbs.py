"""Verbs of a world that are about a device: it comes, goes, checks in, and is given to somebody."""

from bisect import bisect_left, insort
from collections.abc import Sequence
from datetime import timedelta

from kandji_simulator.hardware import APPLE, RELEASES, Release
from kandji_simulator.moments import MICROSECOND, MINUTE
from kandji_simulator.records import Device, ItemState
from kandji_simulator.state import State


class DeviceVerbs(State):
    """Each changes the world as an administrator or the device itself would."""

    def enrol(self, *, platform: str | None = "Mac", name: str | None = None) -> str:
        """A new device, just enrolled and collected; its id. ``platform`` None draws one."""
        device = self.join(platform=platform, name=name)
        insort(self.order, device.id)
        device.first_enrolled = device.enrolled = self.moment - MINUTE
        device.missing = device.removed = False
        device.lost_mode = ""
        device.collected = None
        self.check_in(device.id)
        self.audit.add(self.moment, "create", ("device", device.id), name=device.name)
        return device.id

    def join(self, *, platform: str | None, name: str | None) -> Device:
        """A new device with a past, not yet in order."""
        people = self.remember("people", lambda: list(self.users.values()))
        homes = self.remember("homes", lambda: list(self.blueprints.values()))
        number = self._numbers.get("device", 0)
        self._numbers["device"] = number + 1
        device = self.recruiter.device(
            number, self.moment, users=people, blueprints=homes, platform=platform, name=name
        )
        self.devices[device.id] = device
        self.touched.append(device.id)
        self.apps.prepare(device)
        return device

    def remove(self, device_id: str) -> None:
        """The device is deleted: gone from every answer."""
        name = self.device(device_id).name
        del self.devices[device_id]
        del self.order[bisect_left(self.order, device_id)]
        self._managed.pop(device_id, None)
        self.waiting = [command for command in self.waiting if command.device_id != device_id]
        self.audit.add(self.moment, "delete", ("device", device_id), name=name)

    def rename(self, device_id: str, name: str) -> None:
        """Another device name; no Prism row counts as written by that."""
        self.device(device_id).name = name

    def check_in(self, device_id: str) -> None:
        """The device is seen, and collected where Prism covers its platform."""
        device = self.device(device_id)
        stamp = self.stamp(device)
        if device.collected is None:
            device.first_collected = device.drawn_until = stamp
            self.apps.prepare(device)
        device.checked_in = self.moment
        device.collected = max(device.collected or 0, stamp) if device.platform in APPLE else None
        device.missing = False
        known = self.managed_so_far(device_id)
        if known:
            known.off = False

    def set_clock(self, device_id: str, ahead: timedelta) -> None:
        """The device's clock is wrong by that: what it reports from now on is stamped so."""
        self.device(device_id).clock = ahead // MICROSECOND

    def update_os(self, device_id: str, version: str | None = None) -> None:
        """The newest release of its platform, or ``version``."""
        device = self.device(device_id)
        known = {r.version: r for r in RELEASES[device.platform]}
        newest = RELEASES[device.platform][-1]
        device.release = newest if version is None else known.get(version, Release(version, ""))
        self.check_in(device_id)

    def assign_user(self, device_id: str, user_id: str | None) -> None:
        """Another person, or none."""
        self.device(device_id).user = None if user_id is None else self.user(user_id)
        self.audit.add(self.moment, "update", ("device", device_id), user=user_id)

    def assign_blueprint(self, device_id: str, blueprint_id: str) -> None:
        """Another blueprint; ``""`` for none."""
        self.device(device_id).blueprint = self.blueprint(blueprint_id) if blueprint_id else None
        self.audit.add(self.moment, "update", ("device", device_id), blueprint_id=blueprint_id or None)

    def set_asset_tag(self, device_id: str, text: str) -> None:
        """Another asset tag; ``""`` for none."""
        self.device(device_id).asset_tag = text
        self.audit.add(self.moment, "update", ("device", device_id), asset_tag=text or None)

    def set_tags(self, device_id: str, names: Sequence[str]) -> None:
        """Exactly these tags, which must exist."""
        for name in names:
            self.tag(name)
        self.device(device_id).tags = tuple(names)
        self.audit.add(self.moment, "update", ("device", device_id), tags=list(names))

    def set_status(self, device_id: str, item_id: str, status: str) -> None:
        """The device checks in and reports another status for a library item or a parameter."""
        self.check_in(device_id)
        device = self.device(device_id)
        device.states = {**(device.states or {}), item_id: ItemState(status, self.moment)}
