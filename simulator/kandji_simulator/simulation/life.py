"""A fleet's everyday life: what happens on ordinary days, so much a device and day, whatever the pace of the clock.

:mod:`~kandji_simulator.simulation.events` crowds a test's quarter of an hour; this leaves a fleet that can be
recognised after a quarter of a year.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from kandji_simulator.simulation.events import (
    install_app,
    miss,
    move,
    reassign,
    remove_app,
    rename,
    report,
    update_app,
    update_os,
)
from kandji_simulator.simulation.row_mutations import RowMutations
from kandji_simulator.world.records import Device
from kandji_simulator.world.rng import rng, stable_hash
from kandji_simulator.world.time import DAY

POSTURE = (
    ("prism_filevault", "status"),
    ("prism_filevault", "key_escrowed"),
    ("prism_application_firewall", "status"),
    ("prism_gatekeeper_and_xprotect", "gatekeeper_status"),
    ("prism_startup_settings", "sip"),
)
"""Prism tables and their columns that rules of compliance look at: true where all is well."""

LISTS = ("prism_installed_profiles", "prism_launch_agents_and_daemons", "prism_local_users", "prism_system_extensions")
"""Prism tables with several rows a device, some of which change now and then."""

SEEN_DAILY, SEEN_HOURLY = 0.97, 0.3
"""How likely a device that is in use is seen within a day, and at one of several looks on a day."""

IN_DRAWERS, AWAY = 6, 9
"""Percent of devices that are never seen again, and in any week those of people who are away."""

Happen = Callable[[RowMutations, Random, Device], None]


@dataclass(frozen=True)
class Habit:
    """``happen`` comes ``often`` times a device and day; ``tables`` are the Prism tables it may change."""

    often: float
    happen: Happen
    tables: tuple[str, ...]


def _worsen(world: RowMutations, draw: Random, device: Device) -> None:
    if device.platform == "Mac" and device.collected is not None:
        table, column = draw.choice(POSTURE)
        world.set_fact(device.id, table, **{column: False})


def _mend(world: RowMutations, draw: Random, device: Device) -> None:
    """Put right what is wrong, as somebody sees to it after a while."""
    for table, facts in (device.facts or {}).items():
        for column, value in facts.items():
            if value is False and (table, column) in POSTURE:
                world.set_fact(device.id, table, **{column: True})
                return


def _change_list(world: RowMutations, draw: Random, device: Device) -> None:
    name = draw.choice(LISTS)
    covered = world.resources[name].platforms if name in world.resources else None
    if covered is not None and device.collected is not None and device.platform in (covered or ("Mac",)):
        draw.choice((world.change_rows, world.add_row, world.remove_row))(device.id, name)


def _enrol(world: RowMutations, draw: Random, device: Device) -> None:
    world.enrol(platform=None)


def _leave(world: RowMutations, draw: Random, device: Device) -> None:
    world.remove(device.id)


EVERYTHING = ("*",)
HABITS = (
    Habit(0.05, update_app, ("apps",)),
    Habit(0.006, install_app, ("apps",)),
    Habit(0.004, remove_app, ("apps",)),
    Habit(0.012, update_os, ("prism_device_information",)),
    Habit(0.004, _worsen, tuple(dict.fromkeys(table for table, _ in POSTURE))),
    Habit(0.04, _mend, tuple(dict.fromkeys(table for table, _ in POSTURE))),
    Habit(0.004, _change_list, LISTS),
    Habit(0.02, report, ()),
    Habit(0.0012, reassign, EVERYTHING),
    Habit(0.0006, move, EVERYTHING),
    Habit(0.0004, rename, EVERYTHING),
    Habit(0.0012, _enrol, ()),
    Habit(0.001, _leave, EVERYTHING),
)


def live(world: RowMutations, days: float, before: Callable[[Device, tuple[str, ...]], None] | None = None) -> None:
    """Let so much of everyday life happen now, drawn from the seed and the number of the step.

    ``before`` is told of a device that is about to change, with the Prism tables that may change with it.
    """
    world.steps += 1
    draw = rng(world.seed, "life", world.steps)
    for habit in HABITS:
        ids = world.device_ids()
        for device_id in draw.sample(ids, min(len(ids), _number(draw, len(ids) * habit.often * days))):
            if before:
                before(world.devices[device_id], habit.tables)
            habit.happen(world, draw, world.devices[device_id])
    _check_in(world, draw, days)
    miss(world)


def _number(draw: Random, expected: float) -> int:
    """Draw a whole number that is so large on average."""
    return int(expected) + (draw.random() < expected % 1)


def _check_in(world: RowMutations, draw: Random, days: float) -> None:
    chance = SEEN_DAILY if days >= 1 else SEEN_HOURLY
    for device in tuple(world.devices.values()):
        if device.checked_in is not None and draw.random() < chance and _in_use(world, device):
            world.check_in(device.id)


def _in_use(world: RowMutations, device: Device) -> bool:
    drawer = stable_hash(world.seed, "drawer", device.number) % 100
    week = stable_hash(world.seed, "away", device.number, world.moment // (7 * DAY)) % 100
    return drawer >= IN_DRAWERS and week >= AWAY
