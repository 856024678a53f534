"""Prism categories with several rows a device, of which each is written only when its content changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from kandji_schema.resource import Resource
from kandji_simulator.chance import chance, lot
from kandji_simulator.moments import DAY, HOUR
from kandji_simulator.prism_rows import Record, RecordCategory, identity, times
from kandji_simulator.records import Device, RowState


class Recipe(Protocol):
    """What can stand in a category: ``size`` things, of which a device has ``per_device`` on average."""

    @property
    def size(self) -> int:
        """How many rows there could be on one device."""

    @property
    def per_device(self) -> float:
        """How many there are."""

    @property
    def always(self) -> int:
        """How many of the first every device has."""

    def columns(self, place: int, device: Device, number: int) -> dict[str, Any]:
        """The category's own columns of the thing at ``place``; ``number`` is drawn anew when it is written anew."""


class ListCategory(RecordCategory):
    """See :class:`Category`. ``scale`` thins the rows out: 1 is as many as the recipe says."""

    def __init__(self, seed: int, resource: Resource, recipe: Recipe, specimen: Device, scale: float) -> None:
        self._seed = seed
        self._name = resource.name
        self._recipe = recipe
        self._share = max(0.0, recipe.per_device * scale - recipe.always) / max(1, recipe.size - recipe.always)
        self._columns = tuple(recipe.columns(0, specimen, 0)) if recipe.size else ()

    @property
    def columns(self) -> tuple[str, ...]:
        """See :class:`Category`."""
        return self._columns

    def records(self, device: Device, since: int = 0) -> list[Record]:
        """See :class:`RecordCategory`."""
        head = identity(device)
        facts = (device.facts or {}).get(self._name, {})
        return [self._record(device, place, state, head, facts) for place, state in self._written(device, since)]

    def count(self, device: Device) -> int:
        """See :class:`Category`."""
        return len(self._places(device)) if not self._changes(device) else len(self.present(device))

    def counted(self, device: Device, since: int) -> int:
        """See :class:`Category`."""
        return len(self._written(device, since))

    def _written(self, device: Device, since: int) -> list[tuple[int, RowState]]:
        """What is there and was changed since then; nothing of what is drawn comes after ``drawn_until``."""
        changes = self._changes(device)
        late = since > device.drawn_until
        states = {p: s for p in sorted(changes) if (s := changes[p])} if late else self.present(device)
        return [(place, state) for place, state in states.items() if state.updated >= since]

    def latest(self, device: Device) -> int:
        """See :class:`Category`."""
        changes = (state.updated for state in self._changes(device).values() if state)
        return max(device.drawn_until, *changes, 0)

    def present(self, device: Device) -> dict[int, RowState]:
        """The device's rows by place."""
        drawn: dict[int, RowState | None] = {place: self._drawn(device, place) for place in self._places(device)}
        found = {**drawn, **self._changes(device)}
        return {place: state for place in sorted(found) if (state := found[place])}

    def absent(self, device: Device) -> list[int]:
        """Places of rows the device could have and has not."""
        present = self.present(device)
        return [place for place in range(self._recipe.size) if place not in present]

    def put(self, device: Device, changes: Mapping[int, RowState | None]) -> None:
        """Write rows (None: take them away)."""
        lists = device.lists or {}
        device.lists = {**lists, self._name: {**lists.get(self._name, {}), **changes}}

    def _changes(self, device: Device) -> dict[int, RowState | None]:
        return (device.lists or {}).get(self._name, {})

    def _places(self, device: Device) -> list[int]:
        draw = chance(self._seed, self._name, device.number, "places").random
        sure = self._recipe.always
        return [*range(sure), *(place for place in range(sure, self._recipe.size) if draw() < self._share)]

    def _drawn(self, device: Device, place: int) -> RowState:
        """Half of the rows were never changed, the others within the last ninety days."""
        number = lot(self._seed, self._name, device.number, place)
        created = min(device.first_collected + number % HOUR, device.drawn_until)
        ago = number // HOUR % (90 * DAY)
        return RowState(0, created, created if number & 1 else max(created, device.drawn_until - ago))

    def _record(
        self, device: Device, place: int, state: RowState, head: dict[str, Any], facts: Mapping[str, Any]
    ) -> Record:
        number = lot(self._seed, self._name, device.number, place, state.epoch)
        changed = state.updated if state.epoch else None
        stamps = times(state.created, state.updated, changed, device.collected or 0)
        row = {**head, **stamps, **self._recipe.columns(place, device, number), **facts}
        return Record(place, state.updated, row)


def rewritten(states: Mapping[int, RowState], places: Iterable[int], now: int) -> dict[int, RowState | None]:
    """These rows with new content."""
    return {place: RowState(states[place].epoch + 1, states[place].created, now) for place in places}
