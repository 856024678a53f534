"""The simulated fleet: the same for the same seed, realistic, and changing only as told."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from naive_client import get_json, walk_table
from sqlmodel import SQLModel

from kandji_schema.columns import boolean, document, extra, integer, text, texts, timestamp
from kandji_schema.errors import UnknownName
from kandji_schema.prism import MAC, PrismRow, category
from kandji_schema.registry import resource, tenant_tables
from kandji_schema.resource import Paging, Resource
from kandji_simulator import START, Tenant, World


def _bytes(world: World) -> bytes:
    return b"".join(line for name in sorted(world.resources) for line in world.truth_lines(name))


def test_the_same_seed_is_the_same_tenant_byte_for_byte() -> None:
    one, other = (World(5, 30, apps_per_device=10) for _ in range(2))
    assert _bytes(one) == _bytes(other)
    one.advance(5)
    other.advance(5)
    assert _bytes(one) == _bytes(other)


def test_another_seed_is_another_tenant() -> None:
    one, other = (World(seed, 30) for seed in (5, 6))
    assert set(one.device_ids()).isdisjoint(other.device_ids())


def test_a_large_fleet_costs_little_before_it_is_asked() -> None:
    world = World(1, 3_000)
    assert len(world.device_ids()) == 3_000
    assert 45 < world.count("apps") / 3_000 < 55


@pytest.fixture(scope="module")
def fleet() -> list[dict[str, Any]]:
    return list(World(1, 600).truth("devices"))


def test_most_devices_are_macs_and_every_platform_occurs(fleet: list[dict[str, Any]]) -> None:
    platforms = [row["platform"] for row in fleet]
    assert set(platforms) == {"Mac", "iPhone", "iPad", "AppleTV", "Windows", "Android"}
    assert 0.7 < platforms.count("Mac") / len(platforms) < 0.9


@pytest.mark.parametrize(
    "is_odd",
    [
        lambda row: row["last_check_in"] == "",
        lambda row: row.get("user", 0) == "",
        lambda row: row.get("user", 0) is None,
        lambda row: "user" not in row,
        lambda row: isinstance(row.get("user"), dict) and isinstance(row["user"]["id"], int),
        lambda row: isinstance(row.get("user"), dict) and row["user"]["is_archived"],
        lambda row: row["blueprint_id"] == "",
        lambda row: row["is_missing"] is True,
        lambda row: row["is_removed"],
        lambda row: row["lost_mode_status"] == "ENABLED" if "lost_mode_status" in row else False,
        lambda row: row["mdm_enabled"] == "True",
        lambda row: "tags" not in row,
        lambda row: row["asset_tag"] is None,
        lambda row: row["asset_tag"] == "000102",
        lambda row: row["device_name"] == "Robert'); DROP TABLE devices;--",
        lambda row: "\n" in row["device_name"],
        lambda row: "日本語" in row["device_name"],
    ],
)
def test_the_list_has_every_oddity_of_the_provider(
    fleet: list[dict[str, Any]], is_odd: Callable[[dict[str, Any]], bool]
) -> None:
    assert any(map(is_odd, fleet))


def test_two_devices_share_a_name(fleet: list[dict[str, Any]]) -> None:
    assert [row["device_name"] for row in fleet].count("Shared Mac") == 2


def test_some_rows_spell_booleans_as_text_and_leave_columns_out() -> None:
    rows = list(World(1, 100).truth("prism_filevault"))
    assert {True, "True", "Yes"} <= {row["status"] for row in rows}
    assert len({len(row) for row in rows}) > 1


def test_keys_are_unique_in_every_table() -> None:
    world = World(2, 60, apps_per_device=200)
    for name, table in tenant_tables().items():
        if table.repeats:
            continue
        sources = {c.name: c.sources[0] for c in table.columns}
        keys = [tuple(row.get(sources[k], row.get(k)) for k in table.key) for row in world.truth(name)]
        assert len(set(keys)) == len(keys), name


def test_app_rows_are_as_large_as_the_providers() -> None:
    lines = list(World(1, 20).truth_lines("apps"))
    assert 1_400 < sum(map(len, lines)) / len(lines) < 1_800


def test_a_device_without_a_collection_has_no_prism_rows() -> None:
    world = World(1, 60)
    silent = {row["device_id"] for row in world.truth("devices") if row["last_check_in"] == ""}
    assert silent
    assert silent.isdisjoint(row["device_id"] for row in world.truth("apps"))


def _device(world: World, device_id: str) -> dict[str, Any]:
    return next(row for row in world.truth("devices") if row["device_id"] == device_id)


def _app(world: World, device_id: str, bundle_id: str) -> list[dict[str, Any]]:
    return [row for row in world.truth("apps") if (row["device_id"], row["bundle_id"]) == (device_id, bundle_id)]


def test_a_device_can_be_enrolled_renamed_and_removed() -> None:
    world = World(1, 5)
    device = world.enrol(platform="iPad", name="Kiosk")
    assert (_device(world, device)["platform"], _device(world, device)["device_name"]) == ("iPad", "Kiosk")
    world.rename(device, "Lobby")
    assert _device(world, device)["device_name"] == "Lobby"
    world.remove(device)
    assert device not in world.device_ids()
    assert all(row["device_id"] != device for name in ("devices", "apps") for row in world.truth(name))


def test_an_app_can_be_installed_updated_and_removed() -> None:
    world = World(1, 5)
    device, chrome = world.enrol(), "com.google.Chrome"
    before = world.count("apps")
    world.remove_app(device, chrome)
    without = world.count("apps")
    world.set_app_version(device, chrome, '127.0 "beta"')
    world.set_app_version(device, chrome, "128.0.1")
    assert [(row["version"], row["short_version"]) for row in _app(world, device, chrome)] == [("128.0.1", "12801")]
    assert world.count("apps") == without + 5
    world.remove_app(device, chrome)
    assert world.count("apps") == without <= before
    assert world.count("apps") == sum(1 for _ in world.truth("apps"))


def test_only_a_written_row_moves_its_updated_at() -> None:
    world = World(1, 5)
    device = world.enrol()
    old = {row["path"]: row for row in world.truth("apps") if row["device_id"] == device}
    world.wait(timedelta(hours=1))
    world.set_app_version(device, "com.google.Chrome", "999.0")
    changed = [
        row["path"]
        for row in world.truth("apps")
        if row["device_id"] == device and row["updated_at"] != old.get(row["path"], row)["updated_at"]
    ]
    assert all("Google Chrome" in path for path in changed)
    fresh = _app(world, device, "com.google.Chrome")[0]
    assert fresh["updated_at"] == world.now.isoformat(timespec="microseconds")


def test_a_check_in_leaves_the_past_of_app_rows_alone() -> None:
    world = World(1, 40)
    before = {(r["device_id"], r["path"], r["bundle_id"]): r["updated_at"] for r in world.truth("apps")}
    world.wait(timedelta(days=2))
    for device in {key[0] for key in before}:
        world.check_in(device)
    after = {(r["device_id"], r["path"], r["bundle_id"]): r["updated_at"] for r in world.truth("apps")}
    assert after == before


def test_a_reassignment_moves_nothing_but_the_person() -> None:
    world = World(1, 40, apps_per_device=300)
    before = [row["path"] for row in world.truth("apps")]
    for device in world.device_ids():
        world.assign_user(device, None)
    assert [row["path"] for row in world.truth("apps")] == before
    assert any(path and path.startswith("/Users/") for path in before)


def test_people_and_blueprints_can_be_reassigned_and_removed() -> None:
    world = World(1, 5)
    device, user, blueprint = world.enrol(), world.add_user("Zoë Ueda"), world.add_blueprint("Pilot")
    world.assign_user(device, user)
    world.assign_blueprint(device, blueprint)
    world.rename_blueprint(blueprint, "Pilots")
    row = _device(world, device)
    assert (row["user"]["name"], row["blueprint_id"], row["blueprint_name"]) == ("Zoë Ueda", blueprint, "Pilots")
    world.archive_user(user)
    assert _device(world, device)["user"]["is_archived"] is True
    world.remove_user(user)
    world.remove_blueprint(blueprint)
    row = _device(world, device)
    assert not row["user"]
    assert row["blueprint_id"] == ""


def test_blueprints_and_users_count_their_devices() -> None:
    world = World(1, 50)
    devices = list(world.truth("devices"))
    for row in world.truth("blueprints"):
        assert row["computers_count"] == sum(d["blueprint_id"] == row["id"] for d in devices)
    for row in world.truth("users"):
        emails = [d["user"]["email"] for d in devices if d.get("user")]
        assert row["device_count"] == emails.count(row["email"])


def test_a_fact_can_be_set_for_a_device() -> None:
    world = World(1, 5)
    device = world.enrol()
    world.set_fact(device, "filevault", status="off, says the test")
    found = [row["status"] for row in world.truth("prism_filevault") if row["device_id"] == device]
    assert found == ["off, says the test"]


def test_time_passes_a_quarter_of_an_hour_a_step_and_changes_every_table_with_devices() -> None:
    world = World(1, 200)
    before = {name: sorted(world.truth_lines(name)) for name in ("devices", "apps", "prism_filevault", "blueprints")}
    world.advance(4)
    assert world.now == START + timedelta(hours=1)
    assert all(sorted(world.truth_lines(name)) != lines for name, lines in before.items())
    assert len(world.device_ids()) == 200


def test_an_unknown_name_is_told_with_its_neighbours() -> None:
    world = World(1, 1)
    with pytest.raises(UnknownName, match=r"no app 'com\.google\.Chrom'.*com\.google\.Chrome"):
        world.install_app(world.enrol(), "com.google.Chrom")


class _Certificate(PrismRow, table=True):
    """One row per certificate."""

    __tablename__ = "prism_synthetic_certificates"

    common_name: str | None = text("Name.", key=True, samples=("acme root", "wifi", "vpn"))
    serial: str | None = text("Serial.", key=True)
    valid: bool | None = boolean("Valid.", samples=(True, False))
    bits: int | None = integer("Bits.")
    expires: Any = timestamp("Expiry.")
    names: Any = texts("Names.")
    details: Any = document("Details.")
    extra: Any = extra()


class _Label(SQLModel, table=True):
    """One row per label."""

    __tablename__ = "synthetic_labels"

    id: str | None = text("Identifier.", key=True)
    owner_id: str | None = text("Owner.", source="owner.id")
    extra: Any = extra()


@pytest.mark.parametrize("paging", list(Paging))
def test_a_new_table_is_served_from_its_declaration_alone(paging: Paging) -> None:
    tables = {
        Paging.PRISM: category(_Certificate, "synthetic_certificates", ttl=timedelta(1), platforms=MAC),
    }
    table = tables.get(
        paging,
        Resource(model=_Label, path="/api/v1/labels", paging=paging, ttl=timedelta(1), permission="Labels"),
    )
    world = World(1, 20, resources={table.name: table})
    rows = walk_table(Tenant(world, limits=None).handle, world, table.name, 7)
    assert rows == list(world.truth(table.name))
    assert len(rows) > 7


def test_a_generated_row_has_the_columns_of_its_declaration() -> None:
    table = category(_Certificate, "synthetic_certificates", ttl=timedelta(1), platforms=MAC)
    world = World(1, 20, resources={table.name: table})
    row = get_json(Tenant(world, limits=None).handle, table.path, limit=1)["data"][0]
    expected = {"common_name", "serial", "valid", "bits", "expires", "names", "details"}
    assert expected <= set(row)
    assert row["common_name"] in {"acme root", "wifi", "vpn"}
    assert row["device__family"] == "Mac"


class _Loan(SQLModel, table=True):
    """One row per loan."""

    __tablename__ = "served_loans"

    id: str | None = text("Identifier.", key=True)
    device_id: str | None = text("Device.", source="device.id", references="devices.device_id")
    borrower_id: str | None = text("Who borrowed it.", references="users.id")
    extra: Any = extra()


def test_a_column_that_refers_to_another_table_has_its_values() -> None:
    table = Resource(model=_Loan, path="/api/v1/loans", paging=Paging.COUNT, ttl=timedelta(1), permission="Loans")
    world = World(1, 20, resources={r.name: r for r in (table, resource("devices"), resource("users"))})
    gone = world.device_ids()[0]
    world.remove(gone)
    rows = list(world.truth("served_loans"))
    assert {row["device"]["id"] for row in rows} <= {row["device_id"] for row in world.truth("devices")}
    assert {row["borrower_id"] for row in rows} <= {row["id"] for row in world.truth("users")}
    assert len({row["device"]["id"] for row in rows}) > 5
