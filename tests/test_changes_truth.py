"""What is told of a simulated tenant that changed is what was done to it, counted exactly."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support import Rows, mirrored, run_sync, synced

from kandji_queries.history import changes, compare
from kandji_queries.reader import Reader
from kandji_schema.registry import resource
from kandji_simulator import World, catalogue

TABLES = ("devices", "apps", "blueprints", "prism_installed_profiles")

pytestmark = pytest.mark.heavy


@dataclass(frozen=True)
class Past:
    """A mirror of two states, the moment between them, and the rows of apps in both."""

    reader: Reader
    between: str
    apps: tuple[Rows, Rows]


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    home: Path = tmp_path_factory.mktemp("home")
    tenant = synced(home, 40, *TABLES, facts={"everything": True}, apps=8)
    before, between = mirrored(home, "apps", volatile=False), datetime.now(UTC)
    _live(tenant.world)
    assert run_sync(home, tenant, *TABLES, everything=True).failed == ()
    with Reader(home) as reader:
        yield Past(reader, between.isoformat(), (before, mirrored(home, "apps", volatile=False)))


def _live(world: World) -> None:
    """Do what people and devices do in an hour."""
    world.wait(timedelta(hours=1))
    macs = sorted(str(row["device_id"]) for row in world.truth("prism_filevault"))
    apps = catalogue("Mac").by_bundle_id
    for device in macs[1:7]:
        bundle = next(row["bundle_id"] for row in world.apps_of(device) if row["bundle_id"] in apps)
        world.set_app_version(device, bundle, "999")
    for device in macs[7:9]:
        world.swap_app(device)
    world.set_asset_tag(macs[9], "A-1")
    world.remove(macs[0])
    world.enrol(name="Newcomer")


def _keyed(rows: Rows) -> dict[tuple[object, ...], tuple[object, ...]]:
    names = [c.name for c in resource("apps").columns if c.name != "extra" and not c.volatile]
    places = [names.index(name) for name in (*resource("apps").key, *resource("apps").key_fallback)]
    return {tuple(row[place] for place in places): (row[names.index("version")],) for row in rows}


def test_the_summary_counts_what_was_done_and_the_lines_add_up_to_it(past: Past) -> None:
    asked = changes.read_asked(
        past.reader, since=past.between, until=None, device=None, table=None, now=datetime.now(UTC)
    )
    found = past.reader.run(changes.statement(newest_first=True), asked.values).rows
    kinds = changes.summary(found)
    then, now = map(_keyed, past.apps)
    stayed = then.keys() & now.keys()
    devices = {key[0] for key in then}, {key[0] for key in now}
    moved = devices[0] ^ devices[1]
    counted = {(kind.thing, kind.change): kind.changes for kind in kinds}
    assert counted["device", "added"] == counted["device", "removed"] == 1
    assert counted["app", "updated"] == sum(then[key] != now[key] for key in stayed)
    assert counted["app", "added"] == sum(key[0] not in moved for key in now.keys() - then.keys())
    assert counted["app", "removed"] == sum(key[0] not in moved for key in then.keys() - now.keys())
    lines = found[len(kinds) :]
    assert sum(row[5] for row in lines) == sum(counted.values())
    (newcomer,) = [row[1] for row in lines if row[4] == "added" and row[3] == "device"]
    assert f"{sum(key[0] in devices[1] - devices[0] for key in now)} apps" in newcomer
    assert any(row[1].endswith("-> A-1") for row in lines)


def test_pages_of_lines_are_all_lines(past: Past) -> None:
    asked = changes.read_asked(
        past.reader, since=past.between, until=None, device=None, table="apps", now=datetime.now(UTC)
    )

    def lines(**page: int) -> list[object]:
        rows = past.reader.run(changes.statement(newest_first=True, **page), asked.values).rows
        return [row[1] for row in rows if row[1] is not None]

    whole = lines()
    assert [line for begin in range(0, len(whole), 7) for line in lines(limit=7, offset=begin)] == whole


@pytest.mark.parametrize("offset", ["+00:00", "+05:30"])
def test_two_moments_compared_are_the_two_states(past: Past, offset: str) -> None:
    moment = datetime.fromisoformat(past.between).astimezone(datetime.fromisoformat(f"2026-01-01T00:00{offset}").tzinfo)
    both = compare.read_comparison(
        past.reader, table="apps", since=moment.isoformat(), until=None, now=datetime.now(UTC)
    )
    rows = past.reader.run(both.statement, both.values).rows
    then, now = map(_keyed, past.apps)
    of = {kind: sum(row[0] == kind for row in rows) for kind in (compare.ONLY_THEN, compare.ONLY_NOW, compare.OTHER)}
    assert of[compare.ONLY_THEN] == len(then.keys() - now.keys())
    assert of[compare.ONLY_NOW] == len(now.keys() - then.keys())
    assert of[compare.OTHER] == sum(then[key] != now[key] for key in then.keys() & now.keys())
    assert {row[-1] for row in rows if row[0] == compare.OTHER} == {of[compare.OTHER]}
