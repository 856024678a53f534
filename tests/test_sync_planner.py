"""The plan of background syncing: what it costs, and what gives way where that is too much.

The figures are those of the provider's contract: rows a device of every category, pages of 300, an export of 13
requests, and 3,000 of the tenant's 10,000 requests an hour for work that nobody waits for.
"""

import re
from collections.abc import Mapping
from datetime import timedelta

import pytest

from kandji_mirror.sync.planner import SyncPlan, parse_ttl_overrides, plan_sync
from kandji_schema import ddl
from kandji_schema.errors import ConfigurationError
from kandji_schema.manifest import TableState
from kandji_schema.provider import BACKGROUND_SLOWS_BELOW
from kandji_schema.registry import tenant_tables

SHARE = 3_000
EACH_DEVICE = {
    "apps": 150.0,
    "devices": 1.0,
    "prism_activation_lock": 1.0,
    "prism_application_firewall": 1.0,
    "prism_cellular": 0.1,
    "prism_certificates": 10.0,
    "prism_desktop_and_screensaver": 1.0,
    "prism_device_information": 1.0,
    "prism_filevault": 1.0,
    "prism_gatekeeper_and_xprotect": 1.0,
    "prism_installed_profiles": 20.0,
    "prism_kernel_extensions": 0.2,
    "prism_launch_agents_and_daemons": 60.0,
    "prism_local_users": 100.0,
    "prism_startup_settings": 1.0,
    "prism_system_extensions": 4.0,
    "prism_transparency_database": 30.0,
    "users": 1.0,
    "vulnerabilities": 0.2,
    "vulnerability_detections": 20.0,
}
COMPLIANCE = {r.name for r in tenant_tables().values() if r.category and r.ttl == timedelta(minutes=2)}
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def fleet_of(devices: int, *, blueprints: int = 50) -> dict[str, TableState]:
    """The states after a first sync by export."""
    rows = {name: int(each * devices) for name, each in EACH_DEVICE.items()} | {"blueprints": blueprints}
    return {
        r.name: TableState(r.name, ddl.statements(r), int(r.ttl.total_seconds()), rows=rows.get(r.name, 20))
        for r in tenant_tables().values()
    }


def after_increments(states: Mapping[str, TableState], requests: int) -> dict[str, TableState]:
    """The states after increments of so many requests in each of the compliance categories."""
    told = {"method": "increment", "requests": requests}
    return {n: TableState(**{**vars(s), **told}) if n in COMPLIANCE else s for n, s in states.items()}


def planned(states: Mapping[str, TableState], per_hour: int = SHARE, remaining_hour: int | None = None) -> SyncPlan:
    return plan_sync(tenant_tables(), states, per_hour=per_hour, remaining_hour=remaining_hour)


def stretched(made: SyncPlan) -> dict[str, timedelta]:
    """The tables that are read less often than declared, and how often."""
    return {name: ttl.age for name, ttl in made.ttls.items() if ttl.age != tenant_tables()[name].ttl}


@pytest.mark.parametrize(("devices", "least", "most"), [(100, 400, 600), (1_000, 600, 800), (10_000, 2_000, 2_400)])
def test_up_to_ten_thousand_devices_every_table_is_read_as_often_as_declared(
    devices: int, least: int, most: int
) -> None:
    made = planned(fleet_of(devices))
    assert stretched(made) == {}
    assert least < made.per_hour < most


@pytest.mark.parametrize(("pages", "per_hour"), [(1, 1_030), (5, 1_750)])
def test_ten_thousand_devices_fit_on_a_quiet_and_on_a_busy_day(pages: int, per_hour: int) -> None:
    made = planned(after_increments(fleet_of(10_000), requests=1 + pages))
    assert stretched(made) == {}
    assert made.per_hour == pytest.approx(per_hour, rel=0.05)


def test_fifty_thousand_devices_give_up_the_freshest_categories_first_and_then_the_device_list() -> None:
    made = planned(fleet_of(50_000, blueprints=200))
    assert stretched(made) == {**dict.fromkeys(COMPLIANCE, 15 * MINUTE), "devices": 10 * MINUTE}
    assert made.per_hour < SHARE


WATCHED = ("prism_filevault", "devices", "blueprint_library_items", "vulnerabilities", "users")
ORDER = (
    (5_600, (2 * MINUTE, 5 * MINUTE, 30 * MINUTE, 6 * HOUR, HOUR)),
    (3_400, (10 * MINUTE, 5 * MINUTE, 30 * MINUTE, 6 * HOUR, HOUR)),
    (3_220, (15 * MINUTE, 5 * MINUTE, 30 * MINUTE, 6 * HOUR, HOUR)),
    (2_300, (15 * MINUTE, 10 * MINUTE, 30 * MINUTE, 6 * HOUR, HOUR)),
    (1_900, (15 * MINUTE, 15 * MINUTE, 30 * MINUTE, 6 * HOUR, HOUR)),
    (1_600, (15 * MINUTE, 30 * MINUTE, 30 * MINUTE, 6 * HOUR, HOUR)),
    (1_245, (15 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR, HOUR)),
    (1_220, (15 * MINUTE, 30 * MINUTE, 2 * HOUR, 24 * HOUR, HOUR)),
    (740, (HOUR, HOUR, 2 * HOUR, 24 * HOUR, HOUR)),
    (520, (2 * HOUR, 2 * HOUR, 2 * HOUR, 24 * HOUR, 2 * HOUR)),
)


@pytest.mark.parametrize(("share", "times"), ORDER)
def test_the_smaller_the_share_the_more_is_given_up_and_in_this_order(share: int, times: tuple[timedelta, ...]) -> None:
    made = planned(fleet_of(50_000, blueprints=200), per_hour=share)
    assert tuple(made.ttls[name].age for name in WATCHED) == times
    assert made.per_hour <= share


def test_a_share_too_small_for_anything_reads_everything_once_a_day() -> None:
    made = planned(fleet_of(50_000), per_hour=1)
    assert {ttl.age for ttl in made.ttls.values()} == {24 * HOUR}
    assert made.sweep_per_hour == 0


def test_sweeps_get_what_is_left_but_a_tenth_of_the_share() -> None:
    made = planned(fleet_of(1_000))
    assert made.sweep_per_hour == pytest.approx(0.9 * SHARE - made.per_hour, abs=1)
    assert planned(fleet_of(50_000), per_hour=700).sweep_per_hour == 0


def test_a_stretched_table_says_why_in_figures() -> None:
    made = planned(fleet_of(50_000, blueprints=200))
    assert re.fullmatch(
        r"Read every 10 min instead of 5 min: 50,000 rows take about 167 requests a pass, all tables together 5,\d{3} "
        r"an hour, and the background has 3,000 \(KANDJI_MIRROR_BACKGROUND_SHARE\)\.",
        made.ttls["devices"].reason or "",
    )
    assert made.ttls["users"].reason is None


def test_with_little_left_to_the_tenant_the_background_takes_half() -> None:
    states = fleet_of(10_000)
    assert stretched(planned(states, remaining_hour=BACKGROUND_SLOWS_BELOW)) == {}
    halved = planned(states, remaining_hour=BACKGROUND_SLOWS_BELOW - 1)
    assert stretched(halved) == dict.fromkeys(COMPLIANCE, 10 * MINUTE)
    assert halved.per_hour <= SHARE // 2
    reason = halved.ttls["prism_filevault"].reason
    assert reason is not None
    assert "has 1,500 (KANDJI_MIRROR_BACKGROUND_SHARE) while the tenant has fewer than 4,000 left" in reason


def test_increments_that_cost_more_than_expected_are_believed() -> None:
    made = planned(after_increments(fleet_of(10_000), requests=36))
    assert stretched(made) == dict.fromkeys(COMPLIANCE, 10 * MINUTE)
    assert made.per_hour <= SHARE


def test_a_time_to_live_of_the_settings_replaces_the_declared_one() -> None:
    chosen = {"devices": HOUR, "apps": 2 * MINUTE}
    made = plan_sync(tenant_tables(), fleet_of(1_000), per_hour=SHARE, overrides=chosen).ttls
    assert {name: made[name].age for name in chosen} == chosen
    assert {made[name].reason for name in chosen} == {None}


def test_a_table_read_device_by_device_is_no_part_of_the_plan_but_of_what_is_left() -> None:
    states = fleet_of(10_000)
    states["apps"] = TableState(**{**vars(states["apps"]), "method": "per device", "requests": 40})
    assert planned(states).per_hour < planned(fleet_of(10_000)).per_hour


def test_every_table_has_a_time_to_live_also_before_the_first_sync() -> None:
    assert set(plan_sync(tenant_tables(), {}, per_hour=SHARE).ttls) == set(tenant_tables())


# -- KANDJI_MIRROR_TTL ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("", {}),
        ("devices=10m", {"devices": 10 * MINUTE}),
        (" devices = 90s, apps=2h ,users=1d,", {"devices": 1.5 * MINUTE, "apps": 2 * HOUR, "users": 24 * HOUR}),
    ],
)
def test_times_to_live_are_read_from_one_line(text: str, times: dict[str, timedelta]) -> None:
    assert parse_ttl_overrides(text, tenant_tables()) == times


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("device=10m", r"there is no table 'device'; did you mean devices\?"),
        ("devices", "'devices' must be a table, = and a whole number of s, m, h or d"),
        ("devices=0m", "'devices=0m' must be"),
        ("devices=10", "'devices=10' must be"),
        ("devices=1w", "'devices=1w' must be"),
    ],
)
def test_a_wrong_time_to_live_is_told(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        parse_ttl_overrides(text, tenant_tables())
