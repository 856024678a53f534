"""Facts that hold for every table, and the few that tell tables apart."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kandji_schema.columns import Column, Kind, Personal
from kandji_schema.feeds import FEEDS
from kandji_schema.registry import feed_tables, joins, resource, resources, tenant_tables
from kandji_schema.resource import Paging, Resource

TABLES = [pytest.param(r, id=name) for name, r in resources().items()]
PRISM = [pytest.param(r, id=name) for name, r in resources().items() if r.category]
SWEPT = [pytest.param(r, id=name) for name, r in resources().items() if r.swept]

LISTS = """
devices blueprints blueprint_library_items users tags custom_apps in_house_apps custom_profiles custom_scripts
self_service_categories ade_integrations ade_devices audit_events vulnerabilities vulnerability_detections threats
behavioral_detections licensing device_details device_library_items device_parameters device_activity device_commands
device_notes lost_mode library_item_activity apps
"""
CATEGORIES = """
activation_lock application_firewall cellular certificates desktop_and_screensaver device_information filevault
gatekeeper_and_xprotect installed_profiles kernel_extensions launch_agents_and_daemons local_users startup_settings
system_extensions transparency_database
"""

TELLING = (
    r"(^|_)e?mail(_|$)",
    r"(^|_)phone(_|$)",
    r"^(imei|iccid|eid|meid|phone_number)(_slot_\d)?$",
    r"(^|_)path(s)?$",
    r"(^|_)(home_directory|directories|root_directory|working_directory)$",
    r"(^|_)script$",
    r"(^|_)command_line$",
    r"(^|_)host_?name$",
    r"(^|_)(user|owner|local_user|full|device_user)_name$",
    r"^(username|full_name|last_user|local_user|users|job_title|common_name|device_name)$",
    r"(^|_)(user_id|actor_id|target_id|admin_id|generated_uid)$",
    r"(^|_)(assigned|released)_by$",
    r"(^|_)process_owner$",
    r"(^|_)(public_ip|ip_address|mac_address|org_address)$",
    r"(^|_)(note|log|arguments|environment_variables|new_state|old_state|metadata)$",
    r"^(lost_mode|general|network|mdm|cellular|apple_business_manager|volumes|profile|params)$",
)
"""What a column's name says about people; wherever such a name stands, the column must be marked."""

LARGEST_PAGE = {
    Paging.ARRAY: 300,
    Paging.COUNT: 1_000,
    Paging.CURSOR: 500,
    Paging.PRISM: 300,
    Paging.PAGE: 50,
    Paging.AFTER: 300,
    Paging.OFFSET: 1_000,
}
"""Rows a page by the provider's contract; the whole set needs no size."""

SPELLINGS: dict[Kind, tuple[type, ...]] = {
    Kind.TEXT: (str,),
    Kind.BOOLEAN: (bool, str),
    Kind.INTEGER: (int,),
    Kind.NUMBER: (float, int),
    Kind.TIMESTAMP: (str,),
    Kind.TEXTS: (list,),
    Kind.DOCUMENT: (dict, list),
}


def names_where(**facts: Any) -> set[str]:
    """Tables whose resource has these facts."""
    return {name for name, r in resources().items() if all(getattr(r, k) == v for k, v in facts.items())}


def test_the_public_names_of_tables_stay() -> None:
    assert set(tenant_tables()) == {*LISTS.split(), *(f"prism_{name}" for name in CATEGORIES.split())}
    assert set(feed_tables()) == {table for feed in FEEDS.values() for table in feed.tables}
    assert resources().keys() == {*tenant_tables(), *feed_tables()}


@pytest.mark.parametrize("pattern", TELLING)
def test_a_column_whose_name_tells_of_people_is_marked(pattern: str) -> None:
    telling = [(r.name, c) for r in resources().values() for c in r.columns if re.search(pattern, c.name)]
    assert [f"{table}.{c.name}" for table, c in telling if not isinstance(c.personal, Personal)] == []
    assert telling


@pytest.mark.parametrize("table", TABLES)
def test_no_two_columns_are_read_from_the_same_place_but_a_code_and_its_words(table: Resource) -> None:
    places = [source for c in table.columns if not c.words for source in c.sources]
    assert len(places) == len(set(places))


@pytest.mark.parametrize("table", TABLES)
def test_what_a_description_says_to_join_exists(table: Resource) -> None:
    said = [
        m for c in table.columns for m in re.findall(r"joins to (\w+)\.(\w+)|(\w+)\.(\w+) joins to it", c.description)
    ]
    for there in [(a or c, b or d) for a, b, c, d in said]:
        assert there[1] in {c.name for c in resource(there[0]).columns}


@pytest.mark.parametrize("table", TABLES)
def test_a_reference_is_a_column_of_another_table_and_what_the_description_says(table: Resource) -> None:
    for column in table.columns:
        first = re.search(r"joins to (\w+\.\w+)", column.description)
        assert not first or column.kind is Kind.DOCUMENT or column.references == first[1], column.name
        if column.references:
            there, _, name = column.references.partition(".")
            assert there != table.name
            assert name in {c.name for c in resource(there).columns}


def test_a_source_that_ends_with_a_dot_is_the_member_of_that_name() -> None:
    sources = {c.name: c.sources for c in resource("device_details").columns}
    assert sources["filevault_enabled"] == ("filevault.filevault_enabled",)
    assert sources["ip_address"] == ("network.ip_address", "network.wifi_ipv4_address")
    assert [s for r in resources().values() for c in r.columns for s in c.sources if s.endswith(".")] == []


def test_every_device_and_blueprint_is_referred_to() -> None:
    """A new table whose column has such a name says what it refers to, so that joins are found for it."""
    hubs = {"device_id": "devices.device_id", "blueprint_id": "blueprints.id"}
    silent = [
        f"{r.name}.{c.name}"
        for r in resources().values()
        for c in r.columns
        if c.name in hubs and f"{r.name}.{c.name}" not in hubs.values() and c.references != hubs[c.name]
    ]
    assert silent == []


def test_joins_lead_both_ways_and_those_of_a_view_are_found_by_name() -> None:
    assert joins("users", ["id"])["id"][:2] == ["devices.user_id", "ade_devices.user_id"]
    assert joins("devices", ["user_id", "device_name"]) == {
        "user_id": ["users.id", *(m for m in joins("users", ["id"])["id"] if m != "devices.user_id")]
    }
    assert joins("fleet", ["device_id"])["device_id"][0] == "devices.device_id"
    assert joins("custom_apps", ["id"])["id"][0] == "blueprint_library_items.id"


@pytest.mark.parametrize("table", TABLES)
def test_samples_are_values_the_provider_could_send(table: Resource) -> None:
    def fits(column: Column) -> bool:
        return all(value is None or isinstance(value, SPELLINGS[column.kind]) for value in column.samples)

    assert [c.name for c in table.columns if not fits(c)] == []


@pytest.mark.parametrize("table", TABLES)
def test_a_single_row_is_confirmed_by_the_first_key_column(table: Resource) -> None:
    assert re.findall(r"{(\w+)}", table.confirm or f"{{{table.key[0]}}}") == [table.key[0]]


@pytest.mark.parametrize("table", TABLES)
def test_no_page_is_asked_to_be_larger_than_the_provider_gives(table: Resource) -> None:
    assert 0 <= table.page_size <= LARGEST_PAGE.get(table.paging, 300)


@pytest.mark.parametrize("table", PRISM)
def test_a_prism_table_keeps_history_and_is_read_as_a_whole_every_day(table: Resource) -> None:
    assert table.tracked
    assert table.full_every is not None
    assert table.ttl < table.full_every <= timedelta(hours=24)


@pytest.mark.parametrize("table", SWEPT)
def test_a_swept_table_costs_one_request_a_device_and_day_or_one_a_page_of_it(table: Resource) -> None:
    assert (table.parent, table.parent_key) == ("devices", {"device_id": "device_id"})
    assert table.paging in {Paging.WHOLE, Paging.COUNT, Paging.ARRAY}
    assert table.key[0] == "device_id"
    assert table.ttl == timedelta(hours=24)
    assert not table.tracked


def test_outside_prism_only_devices_and_blueprints_keep_history() -> None:
    assert names_where(tracked=True, category=None) == {"devices", "blueprints"}


def test_only_what_happened_is_never_deleted() -> None:
    assert names_where(newest_first=True) == {"audit_events", "device_activity", "library_item_activity"}


def test_features_that_are_sold_separately_are_said_to_be() -> None:
    sold = {"vulnerabilities", "vulnerability_detections", "threats", "behavioral_detections"}
    assert names_where(licensed=True) == sold


def test_identical_certificates_are_told_apart_by_their_number() -> None:
    assert names_where(repeats=True) == {"prism_certificates", "os_releases"}
    assert resource("prism_certificates").key == ("device_id", "common_name", "identity_certificate", "ordinal")


def published_apps() -> list[dict[str, Any]]:
    """The first app of each platform in the published answers for one device."""
    path = Path(__file__).parent / "fixtures" / "examples" / "get--devices-_device_id_-apps.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    return [example["body"]["apps"][0] for example in document["examples"]]


def test_the_way_round_prism_knows_the_apps_of_all_platforms() -> None:
    fallback = resource("apps").fallback
    assert fallback is not None
    told = ("name", "bundle_id", "version", "path", "developer_name")
    found = [
        tuple(next((app[n] for n in fallback.names[column] if app.get(n)), None) for column in told)
        for app in published_apps()
    ]
    tool = "/System/Applications/Utilities/Activity Monitor.app"
    copilot = "C:\\Program Files\\WindowsApps\\Microsoft.Copilot_1.25095.161.0_x64__8wekyb3d8bbwe"
    assert found == [
        ("Activity Monitor", "com.apple.ActivityMonitor", "10.14", tool, None),
        ("Okta Verify", "com.okta.mobile", "47", None, None),
        ("Copilot", "Microsoft.Copilot", "1.25095.161.0", copilot, "Microsoft Corporation"),
        ("Google Play Store", "com.android.vending", "48.2.19-31 [0] [PR] 813001354", None, None),
    ]


def test_every_column_of_the_way_round_is_one_of_the_table() -> None:
    apps = resource("apps")
    assert apps.fallback is not None
    assert set(apps.fallback.names) <= {c.name for c in apps.columns}
