"""Which way a table is read, when it is due, and which devices come first: the strategy, which only decides."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kandji_mirror.state import DeviceReading
from kandji_mirror.sync.devices import ListedDevice, repeated_columns
from kandji_mirror.sync.request import Ttl, is_due
from kandji_mirror.sync.strategy import (
    Method,
    StrategyInputs,
    choose_method,
    devices_cost,
    full_load_cost,
    full_load_method,
    pages_of,
)
from kandji_mirror.sync.swept_table import due_devices
from kandji_schema import ddl
from kandji_schema.manifest import State, TableState
from kandji_schema.registry import resource

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
INPUTS = StrategyInputs(now=NOW, readable=True)
HOUR = timedelta(hours=1)


def state_of(table: str, **facts: Any) -> TableState:
    known = TableState(table, ddl.statements(resource(table)), 300, file="a", state=State.OK, attempted_at=NOW)
    return replace(known, **{"whole_at": NOW - HOUR, "synced_at": NOW, "rows": 5_000, "method": "export", **facts})


@pytest.mark.parametrize(
    ("table", "chosen"),
    [
        ("devices", Method.FULL_WALK),
        ("blueprint_library_items", Method.FULL_WALK),
        ("audit_events", Method.NEWEST_FIRST),
        ("device_details", Method.SWEEP),
        ("apps", Method.INCREMENT),
        ("prism_certificates", Method.EXPORT),
    ],
)
def test_each_kind_of_table_has_its_own_way(table: str, chosen: Method) -> None:
    assert choose_method(resource(table), state_of(table), INPUTS) is chosen


@pytest.mark.parametrize(
    ("changed", "inputs"),
    [
        ({}, replace(INPUTS, readable=False)),
        ({}, replace(INPUTS, whole=True)),
        ({}, replace(INPUTS, increments=False)),
        ({"whole_at": None}, INPUTS),
        ({"whole_at": NOW - timedelta(hours=24)}, INPUTS),
        ({"method": "per device"}, INPUTS),
    ],
)
def test_a_prism_table_is_read_as_a_whole_where_an_increment_would_not_do(
    changed: dict[str, object], inputs: StrategyInputs
) -> None:
    assert choose_method(resource("apps"), state_of("apps", **changed), inputs) is Method.EXPORT


def test_a_table_whose_columns_changed_says_nothing_about_its_size() -> None:
    inputs = replace(INPUTS, readable=False)
    assert choose_method(resource("apps"), state_of("apps", rows=10), inputs) is Method.EXPORT


@pytest.mark.parametrize(("rows", "way"), [(0, "full walk"), (600, "full walk"), (601, "export"), (None, "export")])
def test_two_pages_are_walked_and_more_are_exported(rows: int | None, way: str) -> None:
    assert full_load_method(rows, INPUTS).value == way


def test_refused_exports_leave_the_pages() -> None:
    assert full_load_method(1_500_000, replace(INPUTS, exports=False)) is Method.FULL_WALK


def test_apps_that_came_device_by_device_go_on_so_while_prism_is_forbidden() -> None:
    inputs = replace(INPUTS, prism=False)
    assert choose_method(resource("apps"), state_of("apps", method="per device"), inputs) is Method.PER_DEVICE
    assert choose_method(resource("apps"), state_of("apps"), inputs) is Method.INCREMENT
    assert choose_method(resource("prism_filevault"), state_of("prism_filevault"), inputs) is Method.INCREMENT


def test_costs_are_counted_in_requests() -> None:
    assert [pages_of(rows, 300) for rows in (0, 1, 300, 301)] == [1, 1, 1, 2]
    assert (full_load_cost(600, 300, INPUTS), full_load_cost(1_500_000, 300, INPUTS)) == (3, 13)
    assert full_load_cost(1_500_000, 300, replace(INPUTS, exports=False)) == 5_001
    assert devices_cost(250, 10_000, 10_000, 300) == 3
    assert devices_cost(10, 10_000, 1_500_000, 300) == 5


# -- when -----------------------------------------------------------------------------------------------------------


def test_a_table_is_due_when_its_time_is_over() -> None:
    apps = resource("apps")
    assert not is_due(state_of("apps", attempted_at=NOW - timedelta(seconds=299)), apps, NOW)
    assert is_due(state_of("apps", attempted_at=NOW - timedelta(seconds=300)), apps, NOW)


def test_a_time_to_live_replaces_the_declared_one() -> None:
    known = state_of("apps", attempted_at=NOW - HOUR)
    assert not is_due(known, resource("apps"), NOW, Ttl(2 * HOUR, "the budget"))


@pytest.mark.parametrize("changed", [{"state": State.FAILED}, {"attempted_at": None}, {"ddl": ("CREATE TABLE x",)}])
def test_a_table_that_failed_or_has_other_columns_is_due_at_once(changed: dict[str, object]) -> None:
    assert is_due(state_of("apps", **changed), resource("apps"), NOW)


def test_a_table_that_is_only_partly_read_goes_on_after_five_minutes() -> None:
    known = state_of("device_details", state=State.PARTIAL, ttl_seconds=86_400)
    assert not is_due(known, resource("device_details"), NOW + timedelta(minutes=4))
    assert is_due(known, resource("device_details"), NOW + timedelta(minutes=5))


def test_a_swept_table_is_as_old_as_its_oldest_row() -> None:
    known = state_of("device_details", synced_at=NOW - HOUR, ttl_seconds=3_600)
    assert is_due(known, resource("device_details"), NOW)


# -- which devices --------------------------------------------------------------------------------------------------

FLEET = {name: ListedDevice("Mac", "seen") for name in ("a", "b", "c", "d")}


def reading(hours: float, seen: str = "seen") -> DeviceReading:
    return DeviceReading(NOW - timedelta(hours=hours), seen)


def test_unread_devices_come_before_those_heard_of_and_these_before_the_oldest() -> None:
    readings = {"a": reading(30), "b": reading(1, "before"), "d": reading(40)}
    assert due_devices(FLEET, readings, NOW, timedelta(hours=24)) == ["c", "b", "d", "a"]


def test_a_device_read_a_short_while_ago_is_not_due_unless_all_are() -> None:
    readings = {name: reading(hours) for hours, name in enumerate(("d", "c", "b", "a"))}
    assert due_devices(FLEET, readings, NOW, timedelta(hours=24)) == []
    assert due_devices(FLEET, readings, NOW, timedelta(hours=24), anew=True) == ["a", "b", "c", "d"]


def test_device_information_repeats_people_and_blueprints_and_other_categories_only_the_asset_tag() -> None:
    assert {"device_name", "user_email", "blueprint_name"} <= set(
        repeated_columns(resource("prism_device_information"))
    )
    assert repeated_columns(resource("prism_filevault")) == ("asset_tag", "tags")
