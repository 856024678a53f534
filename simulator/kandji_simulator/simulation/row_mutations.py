"""Changes of rows: apps and the other categories of Prism. The last of the mutations before the whole world."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from kandji_schema.errors import UnknownName, UsageError
from kandji_schema.resource import Resource
from kandji_simulator.tables.prism import ListCategory, rewritten
from kandji_simulator.tables.registry import Tables
from kandji_simulator.world.catalogue import CURRENT, App, catalogue
from kandji_simulator.world.device_mutations import CommandMutations
from kandji_simulator.world.records import AppState, Device, RowState
from kandji_simulator.world.rng import rng
from kandji_simulator.world.time import MICROSECOND

_T = TypeVar("_T")


class RowMutations(CommandMutations):
    """Every one of them means that the device checks in and is collected."""

    def __init__(
        self, seed: int, start: datetime, apps_per_device: int, resources: Mapping[str, Resource], scale: float
    ) -> None:
        super().__init__(seed, start, apps_per_device, resources)
        self.tables = Tables(self, scale)

    def stamp_behind(self, lag: timedelta) -> None:
        """Let rows appear from now on with an ``updated_at`` so much before now, as slow collectors write them."""
        self.late = lag // MICROSECOND

    def install_app(self, device_id: str, bundle_id: str) -> None:
        """Install the newest release of an app of the catalogue, with its helpers."""
        index, app = self._app(device_id, bundle_id)
        self._put_app(device_id, index, app.release(CURRENT + self.steps // 8))

    def set_app_version(self, device_id: str, bundle_id: str, version: str) -> None:
        """Install or update an app of the catalogue at exactly this version."""
        self._put_app(device_id, self._app(device_id, bundle_id)[0], version)

    def remove_app(self, device_id: str, bundle_id: str) -> None:
        """Remove the app and its helpers from the device."""
        index = self._app(device_id, bundle_id)[0]
        self.check_in(device_id)
        self.apps.put(self.device(device_id), index, None)

    def roll_out(self, bundle_id: str, version: str) -> int:
        """Install this version wherever the app is: many rows with one ``updated_at``. Return the number of devices."""
        ids = [d.id for d in self.devices.values() if d.collected is not None and self._has_app(d, bundle_id)]
        for device_id in ids:
            self.set_app_version(device_id, bundle_id, version)
        return len(ids)

    def swap_app(self, device_id: str) -> tuple[str, str]:
        """Swap an app for one with as many rows: the count stays. Return the bundle identifiers."""
        device = self.device(device_id)
        apps, installed = catalogue(device.platform).apps, self.apps.installed(device)
        draw = rng(self.seed, "swap", self.revision)
        gone = apps[draw.choice(list(installed))]
        others = [a for i, a in enumerate(apps) if i not in installed and len(a.bundles) == len(gone.bundles)]
        come = draw.choice(others)
        self.remove_app(device_id, gone.bundle_id)
        self.install_app(device_id, come.bundle_id)
        return gone.bundle_id, come.bundle_id

    def set_fact(self, device_id: str, category: str, **columns: Any) -> None:
        """Fix values of columns of the device's rows in a Prism category other than apps (``filevault``)."""
        name = self.tables.named(category).name
        device = self.device(device_id)
        device.facts = {**(device.facts or {}), name: {**(device.facts or {}).get(name, {}), **columns}}
        self.redraw(device_id, category, again=False)

    def redraw(self, device_id: str, category: str, *, again: bool = True) -> None:
        """Write the device's rows in a category anew; unless ``again`` is False, they come out anew."""
        device = self.device(device_id)
        self.check_in(device_id)
        name, made = self._category(category)
        if isinstance(made, ListCategory):
            states = made.present(device)
            fresh = rewritten(states, states, self.stamp(device))
            kept = {p: RowState(states[p].epoch, s.created, s.updated) for p, s in fresh.items() if s}
            made.put(device, fresh if again else kept)
        else:
            epoch = (device.redrawn or {}).get(name, (0, 0))[0]
            device.redrawn = {**(device.redrawn or {}), name: (epoch + again, self.stamp(device))}

    def change_rows(self, device_id: str, category: str, rows: int = 1) -> None:
        """Give so many of the device's rows in a category with several other content."""
        device, made, draw = self._list(device_id, category)
        states = made.present(device)
        chosen = draw(sorted(states), min(rows, len(states)))
        made.put(device, rewritten(states, chosen, self.stamp(device)))

    def add_row(self, device_id: str, category: str) -> bool:
        """Add a row to a category with several; False where the device has all there are."""
        device, made, draw = self._list(device_id, category)
        absent = made.absent(device)
        stamp = self.stamp(device)
        made.put(device, {place: RowState(0, stamp, stamp) for place in draw(absent, min(1, len(absent)))})
        return bool(absent)

    def remove_row(self, device_id: str, category: str) -> bool:
        """Remove a row; False where the device has none."""
        device, made, draw = self._list(device_id, category)
        present = sorted(made.present(device))
        made.put(device, dict.fromkeys(draw(present, min(1, len(present)))))
        return bool(present)

    def swap_row(self, device_id: str, category: str) -> bool:
        """Swap a row for another: the count stays. False, and nothing done, where there is nothing to swap."""
        device, made, draw = self._list(device_id, category)
        absent, present = made.absent(device), sorted(made.present(device))
        if not (absent and present):
            return False
        stamp = self.stamp(device)
        gone: dict[int, RowState | None] = dict.fromkeys(draw(present, 1))
        made.put(device, {**gone, draw(absent, 1)[0]: RowState(0, stamp, stamp)})
        return True

    def _category(self, category: str) -> tuple[str, Any]:
        name = self.tables.named(category).name
        return name, self.tables.category(name)

    def _list(
        self, device_id: str, category: str
    ) -> tuple[Device, ListCategory, Callable[[Sequence[int], int], list[int]]]:
        """Return the collected device, the category, and a way to draw places."""
        self.check_in(device_id)
        made = self._category(category)[1]
        if not isinstance(made, ListCategory):
            raise UsageError(f"Category {category!r} has one row a device, or is apps; use redraw or install_app.")
        return self.device(device_id), made, rng(self.seed, "rows", self.revision).sample

    def _has_app(self, device: Device, bundle_id: str) -> bool:
        known = catalogue(device.platform).by_bundle_id.get(bundle_id)
        return known is not None and known[0] in self.apps.installed(device)

    def _put_app(self, device_id: str, index: int, version: str) -> None:
        device = self.device(device_id)
        self.check_in(device_id)
        stamp = self.stamp(device)
        before = self.apps.installed(device).get(index)
        self.apps.put(device, index, AppState(version, before.created if before else stamp, stamp))

    def _app(self, device_id: str, bundle_id: str) -> tuple[int, App]:
        apps: Mapping[str, tuple[int, App]] = catalogue(self.device(device_id).platform).by_bundle_id
        if bundle_id not in apps:
            raise UnknownName("app", bundle_id, apps)
        return apps[bundle_id]
