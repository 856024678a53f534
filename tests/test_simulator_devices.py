"""What else the API says of devices agrees with the device list and with Prism."""

from collections import Counter
from typing import Any

import pytest
from naive_client import get, get_json

from kandji_simulator import Tenant, World

Json = dict[str, Any]
FAILING = {"ERROR", "failed"}


@pytest.fixture(scope="module")
def world() -> World:
    return World(1, 300, apps_per_device=20)


@pytest.fixture(scope="module")
def tenant(world: World) -> Tenant:
    return Tenant(world, limits=None)


@pytest.fixture(scope="module")
def devices(world: World) -> dict[str, Json]:
    return {row["device_id"]: row for row in world.truth("devices")}


@pytest.fixture(scope="module")
def details(world: World) -> dict[str, Json]:
    return {row["device_id"]: row for row in world.truth("device_details")}


def test_every_device_has_its_details(devices: dict[str, Json], details: dict[str, Json]) -> None:
    assert details.keys() == devices.keys()
    for device, row in details.items():
        general, listed = row["general"], devices[device]
        assert (general["device_name"], general["platform"]) == (listed["device_name"], listed["platform"])
        assert (general["blueprint_uuid"], row["tags"]) == (listed["blueprint_id"], listed.get("tags", row["tags"]))


@pytest.mark.parametrize(
    ("platform", "sections"),
    [
        ("Windows", {"general", "mdm", "hardware_overview", "network", "kandji_agent", "tags"}),
        ("Android", {"general", "hardware", "management", "cellular", "security", "tags"}),
    ],
)
def test_other_platforms_have_sections_of_their_own(
    details: dict[str, Json], platform: str, sections: set[str]
) -> None:
    shapes = [set(row) - {"device_id"} for row in details.values() if row["general"]["platform"] == platform]
    assert shapes
    assert all(shape == sections for shape in shapes)


def test_filevault_of_details_is_filevault_of_prism(world: World, details: dict[str, Json]) -> None:
    for row in world.truth("prism_filevault"):
        said = details[row["device_id"]]["filevault"]["filevault_enabled"]
        assert str(row.get("status")) in {True: ("True", "Yes"), False: ("False", "No"), None: ("None",)}[said]


def test_an_encrypted_mac_has_encrypted_volumes(details: dict[str, Json]) -> None:
    macs = [row for row in details.values() if row["general"]["platform"] == "Mac" and row["volumes"]]
    for row in macs:
        encrypted = "Yes" if row["filevault"]["filevault_enabled"] else "No"
        assert {volume["encrypted"] for volume in row["volumes"]} == {encrypted}
    assert {row["filevault"]["filevault_enabled"] for row in macs} >= {True, False}


def test_supervision_is_a_text_and_apple_tvs_do_not_say(details: dict[str, Json]) -> None:
    said: dict[str, set[Any]] = {}
    for row in details.values():
        said.setdefault(row["general"]["platform"], set()).add(row["mdm"].get("supervised") if "mdm" in row else None)
    assert said["Mac"] == {"True"}
    assert said["iPhone"] | said["iPad"] == {"True", "False"}
    assert said["AppleTV"] == {None}


def test_profiles_of_details_are_profiles_of_prism(world: World, details: dict[str, Json]) -> None:
    macs = {device for device, row in details.items() if row["general"]["platform"] == "Mac"}
    prism = Counter(row["device_id"] for row in world.truth("prism_installed_profiles") if row["device_id"] in macs)
    assert prism == Counter({device: len(details[device]["installed_profiles"]) for device in macs})


def test_apps_of_an_apple_device_are_those_of_prism(world: World, tenant: Tenant, devices: dict[str, Json]) -> None:
    for platform in ("Mac", "iPad", "AppleTV"):
        device = next(i for i, row in devices.items() if row["platform"] == platform and row["last_check_in"])
        prism = [row for row in world.truth("apps") if row["device_id"] == device]
        body = get_json(tenant.handle, f"/api/v1/devices/{device}/apps")
        assert body == {"device_id": device, "apps": world.apps_of(device)}
        assert [(a["app_name"], a["bundle_id"] or None, a["version"], a["path"] or None) for a in body["apps"]] == [
            (row["name"], row["bundle_id"], row["version"], row["path"]) for row in prism
        ]


@pytest.mark.parametrize(
    ("platform", "fields"),
    [
        ("Windows", {"name", "display_name", "product_code", "installed_path", "application_type"}),
        ("Android", {"display_name", "package_name", "version_name", "sha1_hashes"}),
    ],
)
def test_apps_of_other_platforms_have_fields_of_their_own(
    tenant: Tenant, devices: dict[str, Json], platform: str, fields: set[str]
) -> None:
    device = next(i for i, row in devices.items() if row["platform"] == platform)
    apps = get_json(tenant.handle, f"/api/v1/devices/{device}/apps")["apps"]
    assert all(fields <= set(app) for app in apps)
    assert apps


def test_a_device_reports_the_items_of_its_blueprint(world: World, tenant: Tenant, devices: dict[str, Json]) -> None:
    items: dict[str, dict[str, str]] = {}
    for row in world.truth("blueprint_library_items"):
        items.setdefault(row["blueprint_id"], {})[row["id"]] = row["name"]
    reported = list(world.truth("device_library_items"))
    assert all(items[devices[row["device_id"]]["blueprint_id"]][row["item_id"]] == row["name"] for row in reported)
    failing = [row for row in reported if row["status"] in FAILING]
    assert 0 < len(failing) < len(reported) / 5
    assert {row["status"] for row in failing} == FAILING


def test_only_macs_report_parameters_and_those_of_their_blueprint(world: World, devices: dict[str, Json]) -> None:
    params = {row["id"]: set(row["params"]) for row in world.truth("blueprints")}
    rows = list(world.truth("device_parameters"))
    assert {devices[row["device_id"]]["platform"] for row in rows} == {"Mac"}
    assert all(row["item_id"] in params[devices[row["device_id"]]["blueprint_id"]] for row in rows)


def test_a_status_can_be_set() -> None:
    world = World(1, 20)
    row = next(world.truth("device_library_items"))
    world.set_status(row["device_id"], row["item_id"], "ERROR")
    after = next(world.truth("device_library_items"))
    assert (after["item_id"], after["status"]) == (row["item_id"], "ERROR")
    assert after["reported_at"] == "2026-01-12T09:00:00Z"


def test_licences_are_counted_by_platform(world: World, devices: dict[str, Json]) -> None:
    counts = next(world.truth("licensing"))["counts"]
    platforms = Counter(row["platform"] for row in devices.values())
    assert counts == {
        "computers_count": len(devices),
        "macos_count": platforms["Mac"],
        "ios_count": platforms["iPhone"],
        "ipados_count": platforms["iPad"],
        "tvos_count": platforms["AppleTV"],
    }


def test_tags_of_devices_are_tags_of_the_tenant() -> None:
    world = World(1, 60)
    device = world.device_ids()[0]
    world.add_tag("neu")
    world.set_tags(device, ["neu", "vip"])
    world.rename_tag("neu", "new")
    world.remove_tag("vip")
    names = {row["name"] for row in world.truth("tags")}
    on_devices = {tag for row in world.truth("devices") for tag in row.get("tags", ())}
    assert on_devices <= names
    assert world.devices[device].tags == ("new",)


def test_apples_list_has_enrolled_devices_and_some_in_their_boxes(world: World, devices: dict[str, Json]) -> None:
    rows = list(world.truth("ade_devices"))
    enrolled = [row for row in rows if row["mdm_device"]]
    assert all(devices[row["mdm_device"]["id"]]["serial_number"] == row["serial_number"] for row in enrolled)
    boxed = {row["serial_number"] for row in rows if row["mdm_device"] is None}
    assert boxed.isdisjoint(row["serial_number"] for row in devices.values())
    assert (len(boxed), len(enrolled) > 150) == (8, True)
    used, broken = world.truth("ade_integrations")
    assert (used["device_counts"]["total"], broken["status"]) == (len(rows), "BROKEN")
    assert {row["dep_account"]["id"] for row in rows} == {used["id"]}


def test_details_say_who_came_by_apples_list(world: World, details: dict[str, Json]) -> None:
    listed = {row["mdm_device"]["id"] for row in world.truth("ade_devices") if row["mdm_device"]}
    auto = {i for i, row in details.items() if row.get("automated_device_enrollment", {}).get("auto_enrolled")}
    assert auto == listed


def test_vulnerabilities_count_the_devices_of_their_detections(world: World) -> None:
    detections = list(world.truth("vulnerability_detections"))
    counted = Counter(row["cve_id"] for row in detections)
    assert {row["cve_id"]: row["device_count"] for row in world.truth("vulnerabilities")} == counted
    installed = {(row["device_id"], row["bundle_id"], row["version"]) for row in world.truth("apps")}
    assert all((row["device_id"], row["bundle_id"], row["version"]) in installed for row in detections)


def test_an_update_mends_a_vulnerability() -> None:
    world = World(1, 60, apps_per_device=40)
    row = next(world.truth("vulnerability_detections"))
    before = world.count("vulnerability_detections")
    world.set_app_version(row["device_id"], row["bundle_id"], "9999.0")
    assert world.count("vulnerability_detections") == before - 1


def test_threats_are_few_and_on_devices(world: World, devices: dict[str, Json]) -> None:
    rows = list(world.truth("threats"))
    assert {row["device_name"] for row in rows} <= {row["device_name"] for row in devices.values()}
    assert 0 < len(rows) < len(devices) / 5


@pytest.mark.parametrize("table", ["custom_apps", "custom_profiles", "custom_scripts", "in_house_apps"])
def test_items_of_the_library_are_those_of_blueprints(world: World, table: str) -> None:
    names = {row["id"]: row["name"] for row in world.truth("blueprint_library_items")}
    found = [names[row["id"]] == row["name"] for row in world.truth(table) if row["id"] in names]
    assert found
    assert all(found)


def test_a_custom_profile_is_found_on_macs_by_its_identifier(world: World) -> None:
    identifiers = {row["mdm_identifier"] for row in world.truth("custom_profiles")}
    assert identifiers & {row["payload_identifier"] for row in world.truth("prism_installed_profiles")}


def test_what_a_device_has_is_asked_for_in_vain_when_it_is_gone(tenant: Tenant) -> None:
    paths = ("details", "apps", "status")
    assert [get(tenant.handle, f"/api/v1/devices/nobody/{path}").status for path in paths] == [404] * 3
