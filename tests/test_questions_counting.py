"""What counts: removed and missing devices and archived people are in every answer, told, and left out when asked."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from known_fleet import APPS, DEVICES, USERS, answer, app
from mcp_calls import LATER, Era, opened
from mcp_calls import answer as told
from reads_home import Rows, device, publish

from kandji_mcp_server.context import ServerContext
from kandji_queries.catalog.counting import OF_DEVICES
from kandji_queries.catalog.device_lookup import search
from kandji_queries.catalog.queries import catalog
from kandji_queries.reader import Reader
from kandji_schema.errors import Refused, UsageError
from kandji_schema.registry import resources

HELPER = "/Applications/Chrome.app/Contents/Frameworks/Chrome Helper.app"
CHROMES: Rows = [
    app("d1", "Chrome", "129.0"),
    app("d1", "Chrome", "128.0", path="/Users/x/Chrome.app"),
    app("d1", "Chrome Helper", "127.0", path=HELPER, bundle_id="com.Chrome.helper"),
    app("d2", "Chrome", "130.1"),
    app("d2", "Chrome Helper", "1.0", path=HELPER, bundle_id="com.Chrome.helper"),
    app("d3", "Chrome", None),
    app("d5", "Chrome", "9.0", path=None),
    app("d7", "Chrome", "131.0"),
]
INACTIVE = {"user_id": "u6", "user_name": "Fay", "user_email": "fay@example.org"}
TABLES: dict[str, Rows] = {
    "devices": [*DEVICES, device(8, is_removed=True, **INACTIVE)],
    "users": [*USERS, {"id": "u6", "name": "Fay", "active": False, "archived": False}],
    "apps": [*APPS, *CHROMES],
    "blueprints": [{"id": "b1", "name": "Engineering"}, {"id": "b2", "name": "Sales"}],
    "blueprint_library_items": [{"blueprint_id": "b1", "id": "i1", "name": "Zoom"}],
    **{name: [] for name in ("tags", "custom_apps", "custom_profiles", "custom_scripts", "in_house_apps")},
    "vulnerabilities": [
        {"cve_id": "CVE-1", "severity": "Critical", "status": "Remediated", "kev_score": 1},
        {"cve_id": "CVE-2", "severity": "Critical", "status": "Active", "kev_score": 0},
    ],
    "vulnerability_detections": [
        {"device_id": "d1", "cve_id": "CVE-1", "cvss_severity": "Critical", "name": "Zoom"},
        {"device_id": "d5", "cve_id": "CVE-2", "cvss_severity": "Critical", "name": "Zoom"},
    ],
}


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerContext]:
    home = tmp_path_factory.mktemp("home")
    publish(home, TABLES)
    with opened(home) as context:
        yield context


@pytest.fixture(scope="module")
def reader(context: ServerContext) -> Iterator[Reader]:
    with Reader(context.home, clock=lambda: LATER) as reader:
        yield reader


def test_an_old_app_is_one_row_a_device_however_many_copies_and_helpers_it_has(reader: Reader) -> None:
    asked = "device_id app version version_known copies versions"
    assert answer(reader, "devices_with_app_below_version", asked, app="chrome", version="130") == [
        ("d5", "Chrome", "9.0", True, 1, ["9.0"]),
        ("d1", "Chrome", "128.0", True, 2, ["128.0", "129.0"]),
        ("d3", "Chrome", None, False, 1, None),
    ]
    only_inside = answer(reader, "devices_with_app_below_version", "device_id version", app="helper", version="130")
    assert only_inside == [("d2", "1.0"), ("d1", "127.0")]


def test_helpers_inside_an_app_are_neither_copies_nor_versions_of_it(reader: Reader) -> None:
    assert answer(reader, "devices_with_app", "device_id", app="Chrome").count(("d1",)) == 2
    assert {name for (name,) in answer(reader, "app_versions", "app", app="Chrome")} == {"Chrome"}
    asked = "version devices copies missing removed"
    assert answer(reader, "app_versions", asked, app="Chrome")[0] == ("131.0", 1, 1, 1, 0)
    assert answer(reader, "app_versions", asked, app="Chrome")[-2] == ("9.0", 1, 1, 0, 1)


def test_devices_of_archived_people_are_no_others(reader: Reader) -> None:
    asked = "device_id user_archived user_active"
    assert answer(reader, "devices_of_archived_people", asked) == [("d6", True, False)]
    both = answer(reader, "devices_of_archived_people", asked, or_inactive="true")
    assert both == [("d6", True, False), ("d8", False, False)]


def test_people_without_devices_are_archived_ones_too_and_a_removed_device_is_one(reader: Reader) -> None:
    asked = "user_name archived removed_devices"
    everybody = [("Cara", False, 0), ("Dan", True, 0), ("Eve", None, 0)]
    assert answer(reader, "people_without_devices", asked) == everybody
    assert answer(reader, "people_without_devices", asked, with_archived=False) == [
        ("Cara", False, 0),
        ("Eve", None, 0),
    ]
    assert answer(reader, "people_without_devices", asked, with_removed=False)[-1] == ("Fay", False, 1)


def test_a_remediated_vulnerability_is_flagged_and_not_counted(reader: Reader) -> None:
    assert answer(reader, "devices_with_cve", "device_id remediated", cve="CVE-1") == [("d1", True)]
    assert answer(reader, "devices_with_cve", "device_id remediated", cve="CVE-2") == [("d5", False)]
    asked = "severity vulnerabilities known_exploited devices remediated removed"
    assert answer(reader, "vulnerability_summary", asked) == [("critical", 1, 0, 1, 1, 1)]
    assert answer(reader, "vulnerability_summary", asked, with_remediated=True) == [("critical", 2, 1, 2, 1, 1)]


def test_a_blueprint_without_items_is_another_answer_than_no_such_blueprint(reader: Reader) -> None:
    assert answer(reader, "blueprint_items", "blueprint item items", blueprint="sales") == [("Sales", None, 0)]
    assert answer(reader, "blueprint_items", "item items", blueprint="b1") == [("Zoom", 1)]
    assert reader.query("blueprint_items", {"blueprint": "Sails"}).notes == [
        "There is no blueprint 'Sails'. Similar: 'Sales'."
    ]
    assert reader.query("offline_devices", {"blueprint": "\u2603"}).notes == [
        "There is no blueprint '\u2603'. There are: 'Engineering', 'Sales'."
    ]


def test_an_answer_says_of_how_many_devices_it_is_and_which_of_them_some_would_not_count(reader: Reader) -> None:
    def notes(query: str, **values: Any) -> list[str]:
        return reader.query(query, values).notes

    split = "By inventory_known: 2 true, 2 false."
    assert notes("macs_missing_app", app="edge") == ["4 devices, of which 1 removed.", split]
    with reader.stream_query("macs_missing_app", {"app": "edge"}) as stream:
        assert len([*stream]) == 4
    assert split in stream.notes
    assert notes("devices_with_app", app="chrome") == ["5 devices in 6 rows, of which 1 removed, 1 missing."]
    assert notes("people_without_devices") == ["3 people, of which 1 archived."]
    assert notes("apps_by_developer") == ["Counts are among 8 listed devices, of which 2 removed, 1 missing."]
    assert notes("apps_by_developer", with_removed=False) == ["Counts are among 6 listed devices, of which 1 missing."]
    assert reader.run("FROM devices").notes == ["8 devices, of which 2 removed, 1 missing."]
    assert reader.run("SELECT device_id FROM devices").notes == []
    with reader.stream("FROM devices") as stream:
        assert len(list(stream)) == 8
    assert stream.notes == ["8 devices, of which 2 removed, 1 missing."]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT platform, list(device_id) AS device_id, bool_or(is_removed) AS is_removed FROM devices GROUP BY ALL",
        "SELECT list(user_id) AS user_id, any_value(user_is_archived) AS user_archived FROM devices",
        "SELECT map([device_id], [1]) AS device_id, is_removed FROM devices",
        "SELECT device_id, [is_removed] AS is_removed FROM devices",
    ],
)
def test_what_only_has_the_name_of_a_device_is_not_counted_as_one(reader: Reader, sql: str) -> None:
    found = reader.run(sql)
    assert found.rows
    assert not any(note.split()[1] in {"devices,", "people,"} for note in found.notes)


def test_the_devices_of_a_whole_answer_are_counted_before_it_is_cut(context: ServerContext, era: Era) -> None:
    found = told(context, era, "run_query", name="devices_with_app", params={"app": "chrome"}, limit=1)

    assert found["row_count"] == 1
    assert "5 devices in 6 rows, of which 1 removed, 1 missing." in found["notes"]


def test_removed_devices_are_left_out_of_every_count_alike(reader: Reader) -> None:
    def counted(query: str, columns: str, **values: Any) -> list[tuple[Any, ...]]:
        return answer(reader, query, columns, with_removed=False, **values)

    assert ("iPad",) not in counted("devices_by_platform", "platform")
    assert ("d5",) not in counted("devices_with_app", "device_id", app="chrome")
    assert ("gone",) in counted("devices_with_app", "device_id", app="edge")
    assert ("9.0",) not in counted("app_versions", "version", app="chrome")
    assert counted("vulnerability_summary", "devices removed", with_remediated=True) == [(1, 0)]
    left = answer(reader, "devices_of_user", "device_id", user="bob", with_archived=False)
    assert (left, answer(reader, "devices_of_user", "device_id", user="bob")) == ([], [("d6",)])


@pytest.mark.many
@pytest.mark.heavy
def test_every_count_of_devices_can_leave_removed_ones_out(reader: Reader) -> None:
    values = {"app": "o", "other_app": "o", "certificate": "x", "cve": "CVE-1", "extension": "x", "profile": "x"}
    values |= {"tag": "lab", "user": "Ann", "version": "9"}
    for query in catalog().values():
        if query.counts:
            given = {param.name: values[param.name] for param in query.params if param.required}
            flags = {"with_removed": "false", **({"with_archived": False} if "people" in query.counts else {})}
            columns = [column.name for column in reader.query(query.name, given).columns]
            found = reader.query(query.name, {**given, **flags})
            assert [column.name for column in found.columns] == columns
            if "is_removed" in columns:
                assert not any(row[columns.index("is_removed")] for row in found.rows), query.name


def test_the_tables_that_are_narrowed_are_all_that_have_rows_of_devices() -> None:
    of_devices = {name for name, found in resources().items() if "device_id" in {c.name for c in found.columns}}
    assert of_devices - {"ade_devices"} == {name for name in resources() if re.fullmatch(OF_DEVICES, name)}


def test_devices_are_counted_by_any_attribute(reader: Reader) -> None:
    def by(attribute: str, **values: Any) -> list[tuple[Any, ...]]:
        return answer(reader, "devices_by", "value devices missing removed", attribute=attribute, **values)

    assert by("platform") == [("Mac", 5, 0, 1), ("iPad", 1, 0, 1), ("iPhone", 1, 0, 0), ("unknown", 1, 1, 0)]
    assert by("os", platform="MAC") == [("Mac 14", 2, 0, 0), ("Mac 15", 2, 0, 1), ("Mac unknown", 1, 0, 0)]
    assert by("os_version", platform="mac")[1:3] == [("Mac 14.10", 1, 0, 0), ("Mac 14.9", 1, 0, 0)]
    assert by("department") == [("(none)", 7, 1, 2), ("Sales", 1, 0, 0)]
    assert by("blueprint", with_removed=False) == [("Engineering", 5, 1, 0), ("Sales", 1, 0, 0)]
    assert by("tag")[-1] == ("vip", 1, 0, 0)
    assert by("enrolled")[-1][1] == 1
    assert {value for value, *_ in by("last_check_in")} == {"within a day", "never"}
    assert answer(reader, "devices_by", "percent")[0] == (62.5,)


def test_the_words_of_an_enumeration_are_read_in_any_letter_case(reader: Reader) -> None:
    assert answer(reader, "devices_by_os_version", "os_version", platform=" IPAD ") == [("17.1",)]
    with pytest.raises(UsageError, match="it must be one of Mac, iPhone"):
        reader.query("devices_by_os_version", {"platform": "Amiga"})


def test_what_says_nothing_is_no_device_and_no_app(reader: Reader) -> None:
    for nothing in ("\0", "\u200b"):
        with pytest.raises(UsageError, match="that show"):
            search(reader, nothing)
    assert "is there" not in reader.query("devices_with_app", {"app": "' OR 1=1 --"}).notes[0]
    with pytest.raises(Refused, match="SHOW TABLES lists the tables"):
        reader.run("FROM pragma_database_list")
