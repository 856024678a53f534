"""When rows of Prism come, move and go, as the increments of a client see it."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from kandji_schema.errors import UsageError
from kandji_schema.prism import MAC
from kandji_schema.registry import resources
from kandji_simulator import World
from kandji_simulator.simulation.world import ROWS_SCALE

ONE_ROW = ("device_information", "filevault", "startup_settings", "activation_lock")
LISTS = (
    "certificates",
    "installed_profiles",
    "launch_agents_and_daemons",
    "local_users",
    "system_extensions",
    "transparency_database",
)
_MOVING = {"updated_at", "last_collected_at", "last_changed_at", "created_at"}


@pytest.fixture
def world() -> World:
    return World(3, 30, apps_per_device=10)


def _rows(world: World, category: str, device: str) -> list[dict[str, Any]]:
    return [row for row in world.truth(category) if row["device_id"] == device]


def _mac(world: World) -> str:
    return world.enrol(platform="Mac")


@pytest.mark.parametrize("category", ONE_ROW)
def test_a_collection_writes_the_one_row_of_a_category(world: World, category: str) -> None:
    device = _mac(world)
    world.wait(timedelta(hours=1))
    world.check_in(device)
    row = _rows(world, category, device)[0]
    assert row["updated_at"] == row["last_collected_at"] == world.now.isoformat(timespec="microseconds")


@pytest.mark.parametrize("category", [*LISTS, "apps"])
def test_a_collection_writes_no_row_of_a_list_whose_content_stayed(world: World, category: str) -> None:
    device = _mac(world)
    before = _rows(world, category, device)
    world.wait(timedelta(hours=1))
    world.check_in(device)
    after = _rows(world, category, device)
    assert {row["last_collected_at"] for row in after} == {world.now.isoformat(timespec="microseconds")}
    assert [row["updated_at"] for row in after] == [row["updated_at"] for row in before]


@pytest.mark.parametrize("category", LISTS)
def test_a_changed_row_alone_is_written(world: World, category: str) -> None:
    device = _mac(world)
    before = _rows(world, category, device)
    world.wait(timedelta(hours=1))
    world.change_rows(device, category, 1)
    after = _rows(world, category, device)
    assert sum(a["updated_at"] != b["updated_at"] for a, b in zip(after, before, strict=True)) == 1


@pytest.mark.parametrize("category", sorted(set(LISTS) - {"certificates"}))
def test_a_written_row_has_other_content(world: World, category: str) -> None:
    """Not each time, as some columns have few values; but what never changes would be no change."""
    device = _mac(world)
    seen = set()
    for _ in range(8):
        world.change_rows(device, category, 300)
        seen.add(str([{k: v for k, v in row.items() if k not in _MOVING} for row in _rows(world, category, device)]))
    assert len(seen) > 1


@pytest.mark.parametrize("category", [*LISTS, "kernel_extensions"])
def test_rows_come_go_and_are_swapped(world: World, category: str) -> None:
    device = _mac(world)
    world.add_row(device, category)
    counts = [world.count(category)]
    steps = (world.add_row, world.swap_row, world.remove_row, world.remove_row)
    done = []
    for step in steps:
        done.append(step(device, category))
        counts.append(world.count(category))
    expected = [counts[0], counts[0] + 1, counts[0] + 1, counts[0], counts[0] - 1]
    assert (done, counts) == ([True] * 4, expected)
    assert counts[-1] == sum(1 for _ in world.truth(category))


def test_a_swap_leaves_the_count_and_writes_one_row(world: World) -> None:
    device = _mac(world)
    before = {row["label"] for row in _rows(world, "launch_agents_and_daemons", device)}
    world.wait(timedelta(hours=1))
    assert world.swap_row(device, "launch_agents_and_daemons")
    rows = _rows(world, "launch_agents_and_daemons", device)
    assert len(rows) == len(before)
    assert len({row["label"] for row in rows} - before) == 1
    written = [row["updated_at"] for row in rows if row["updated_at"] == world.now.isoformat(timespec="microseconds")]
    assert len(written) == 1


def test_a_swapped_app_leaves_the_count(world: World) -> None:
    device = _mac(world)
    before, count = {row["bundle_id"] for row in _rows(world, "apps", device)}, world.count("apps")
    gone, come = world.swap_app(device)
    after = {row["bundle_id"] for row in _rows(world, "apps", device)}
    assert (gone in before - after, come in after - before, world.count("apps")) == (True, True, count)


def test_a_roll_out_gives_hundreds_of_rows_one_time() -> None:
    world = World(3, 100, apps_per_device=60)
    world.wait(timedelta(hours=1))
    devices = world.roll_out("com.google.Chrome", "999.1")
    rows = [row for row in world.truth("apps") if row["version"] == "999.1"]
    assert {row["updated_at"] for row in rows} == {world.now.isoformat(timespec="microseconds")}
    assert len(rows) == 5 * devices > 200


def test_rows_can_be_stamped_a_little_before_now(world: World) -> None:
    device = _mac(world)
    world.wait(timedelta(hours=1))
    world.stamp_behind(timedelta(minutes=8))
    world.set_app_version(device, "com.google.Chrome", "999.0")
    world.change_rows(device, "local_users", 300)
    stamps = {row["updated_at"] for row in _rows(world, "local_users", device)}
    stamps |= {row["updated_at"] for row in _rows(world, "apps", device) if row["version"] == "999.0"}
    stamps |= {row["updated_at"] for row in _rows(world, "filevault", device)}
    assert stamps == {(world.now - timedelta(minutes=8)).isoformat(timespec="microseconds")}


def test_a_device_with_a_wrong_clock_stamps_its_rows_by_it(world: World) -> None:
    device = _mac(world)
    world.set_clock(device, timedelta(days=2))
    world.check_in(device)
    row = _rows(world, "device_information", device)[0]
    assert row["updated_at"] == (world.now + timedelta(days=2)).isoformat(timespec="microseconds")
    assert row["last_checkin"] == world.now.isoformat(timespec="microseconds")


def test_a_device_that_leaves_takes_its_rows_from_every_category(world: World) -> None:
    device = _mac(world)
    categories = [r.name for r in resources().values() if r.category]
    had = {name: len(_rows(world, name, device)) for name in categories}
    counts = {name: world.count(name) for name in categories}
    world.remove(device)
    assert {name: world.count(name) for name in categories} == {name: counts[name] - had[name] for name in categories}
    assert sum(had.values()) > 40


def test_certificates_repeat_on_one_device(world: World) -> None:
    rows = _rows(world, "certificates", _mac(world))
    assert max(Counter((row["common_name"], row["identity_certificate"]) for row in rows).values()) > 1


def test_lists_have_about_thirty_rows_a_mac_and_a_real_fleets_at_full_scale() -> None:
    def per_mac(scale: float) -> float:
        world = World(1, 120, rows_scale=scale)
        macs = sum(d.platform == "Mac" and d.collected is not None for d in world.devices.values())
        names = [r.name for r in resources().values() if r.category and r.platforms == MAC]
        lists = {f"prism_{name}" for name in LISTS} & set(names)
        return sum(world.count(name) for name in lists) / macs

    assert 22 < per_mac(ROWS_SCALE) < 34
    assert 180 < per_mac(1.0) < 215


def test_a_fact_can_be_set_for_every_row_of_a_list(world: World) -> None:
    device = _mac(world)
    world.set_fact(device, "local_users", directory="/LDAPv3")
    assert {row["directory"] for row in _rows(world, "local_users", device)} == {"/LDAPv3"}


def test_rows_of_a_category_with_one_row_cannot_be_added(world: World) -> None:
    with pytest.raises(UsageError, match="one row a device"):
        world.add_row(_mac(world), "filevault")
