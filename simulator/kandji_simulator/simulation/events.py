"""What happens in a world while time passes: a table of events and how often each comes."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from kandji_simulator.simulation.row_mutations import RowMutations
from kandji_simulator.tables.device_reports import STATUSES
from kandji_simulator.tables.prism import ListCategory
from kandji_simulator.world.catalogue import catalogue
from kandji_simulator.world.records import Device
from kandji_simulator.world.rng import rng
from kandji_simulator.world.seed_data import owned, person

_MISSING_AFTER = 30 * 24 * 3_600 * 1_000_000


@dataclass(frozen=True)
class Event:
    """``happen`` comes to ``share`` of all devices a step, and to one device at least."""

    share: float
    happen: Callable[[RowMutations, Random, Device], None]


def step(world: RowMutations) -> None:
    """Let one step's events happen in the order of the table, on devices drawn from the seed and the step's number."""
    draw = rng(world.seed, "step", world.steps)
    for event in EVENTS:
        ids = world.device_ids()
        for device_id in draw.sample(ids, min(len(ids), max(1, int(len(ids) * event.share)))):
            event.happen(world, draw, world.devices[device_id])
    _edit_library(world, draw)
    miss(world)


def _edit_library(world: RowMutations, draw: Random) -> None:
    """Edit a library item, as the log tells; two things happen in one moment."""
    name, item = draw.choice(sorted(world.generator.library.items()))
    for active in (False, True):
        world.audit.add(world.moment, "update", ("library_item", item), name=name, active=active, label=None)


def _check_in(world: RowMutations, draw: Random, device: Device) -> None:
    if device.checked_in is not None:
        world.check_in(device.id)


def update_app(world: RowMutations, draw: Random, device: Device) -> None:
    """Update one of the apps of the device."""
    installed = list(world.apps.installed(device))
    if installed and device.collected is not None:
        world.install_app(device.id, catalogue(device.platform).apps[draw.choice(installed)].bundle_id)


def install_app(world: RowMutations, draw: Random, device: Device) -> None:
    """Install an app of the catalogue."""
    if device.collected is not None:
        world.install_app(device.id, draw.choice(catalogue(device.platform).apps).bundle_id)


def remove_app(world: RowMutations, draw: Random, device: Device) -> None:
    """Remove one of the apps of the device."""
    installed = list(world.apps.installed(device))
    if installed and device.collected is not None:
        world.remove_app(device.id, catalogue(device.platform).apps[draw.choice(installed)].bundle_id)


def update_os(world: RowMutations, draw: Random, device: Device) -> None:
    """Install the newest release of its platform."""
    if device.checked_in is not None:
        world.update_os(device.id)


def _redraw(world: RowMutations, draw: Random, device: Device) -> None:
    """Change a category other than apps: its one row, or some, one more, one less, another instead."""
    names = sorted(r.name for r in world.resources.values() if r.category and r.name != "apps")
    if not names or device.collected is None:
        return
    name = draw.choice(names)
    if isinstance(world.tables.category(name), ListCategory):
        draw.choice((world.change_rows, world.add_row, world.remove_row, world.swap_row))(device.id, name)
    else:
        world.redraw(device.id, name)


def report(world: RowMutations, draw: Random, device: Device) -> None:
    """Report another status for a library item of the device."""
    items = sorted(device.blueprint.items) if device.blueprint else []
    if items and device.checked_in is not None:
        world.set_status(device.id, draw.choice(items), draw.choice(STATUSES))


def reassign(world: RowMutations, draw: Random, device: Device) -> None:
    """Give the device to somebody else, or to nobody."""
    users = world.user_ids()
    world.assign_user(device.id, draw.choice(users) if users and draw.random() < 0.8 else None)


def move(world: RowMutations, draw: Random, device: Device) -> None:
    """Move the device to a blueprint."""
    blueprints = world.blueprint_ids()
    world.assign_blueprint(device.id, draw.choice(blueprints) if blueprints else "")


def rename(world: RowMutations, draw: Random, device: Device) -> None:
    """Name the device after somebody."""
    world.rename(device.id, owned(person(draw), device.model.title))


def _replace(world: RowMutations, draw: Random, device: Device) -> None:
    """Remove a device and enrol another."""
    world.remove(device.id)
    world.enrol(platform=None)


EVENTS = (
    Event(0.2, _check_in),
    Event(0.02, update_app),
    Event(0.002, install_app),
    Event(0.001, remove_app),
    Event(0.002, update_os),
    Event(0.004, _redraw),
    Event(0.005, report),
    Event(0.0005, reassign),
    Event(0.0005, move),
    Event(0.0005, rename),
    Event(0.0002, _replace),
)


def miss(world: RowMutations) -> None:
    """Count devices not seen for 30 days as missing."""
    for device in world.devices.values():
        if device.checked_in is not None and device.checked_in < world.moment - _MISSING_AFTER:
            device.missing = True
