"""The fleet narrowed to the devices of a blueprint, and counted at two moments."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from agent_fleet import READ, agent_fleet

from kandji_queries.blueprint_reader import BlueprintReader
from kandji_queries.catalog import counting
from kandji_queries.catalog.queries import catalog
from kandji_queries.overview import Then, compare_fleet, read_overview
from kandji_queries.reader import Reader
from kandji_schema.errors import UnknownName

NOW = datetime.now(UTC).replace(tzinfo=None)
BEFORE = (READ - timedelta(hours=12)).replace(tzinfo=None)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    home = tmp_path_factory.mktemp("home")
    agent_fleet(home)
    with Reader(home) as found:
        yield found


def test_a_query_that_counts_devices_counts_those_of_the_blueprint(reader: Reader) -> None:
    narrowed = BlueprintReader.of(reader, "sales")
    assert [row[:2] for row in narrowed.query("devices_by").rows] == [("iPhone", 1)]
    assert [row[0] for row in narrowed.query("apps_on_device", {"device": "d1"}).rows] == [
        row[0] for row in reader.query("apps_on_device", {"device": "d1"}).rows
    ]


def test_devices_that_are_not_in_the_device_list_are_of_no_blueprint(reader: Reader) -> None:
    rows = BlueprintReader.of(reader, "Sales").query("library_item_status").rows
    assert rows == []
    assert reader.query("library_item_status").rows != []


def test_removed_devices_can_be_left_out_of_a_blueprint(reader: Reader) -> None:
    sql = counting.narrowed("FROM devices", {"with_removed": False, "with_archived": True}, blueprint="Engineering")
    assert {row[0] for row in reader.run(sql).rows} == {"d1", "d2", "d3", "d4", "d7", "d8"}


def test_the_name_of_a_blueprint_is_a_text_whatever_is_in_it(reader: Reader) -> None:
    sql = counting.narrowed("FROM devices", counting.ALL, blueprint='O\'Hara "x" $y; --')
    assert reader.run(sql).rows == []


def test_a_blueprint_is_found_in_any_case_and_others_are_refused(reader: Reader) -> None:
    assert BlueprintReader.of(reader, " engineering ").blueprint == "Engineering"
    with pytest.raises(UnknownName, match="Sales"):
        BlueprintReader.of(reader, "Salse")


def test_what_is_of_no_device_is_told() -> None:
    assert counting.of_whole_tenant(catalog()["vulnerability_summary"].sql) == ["vulnerabilities"]
    assert counting.of_whole_tenant(catalog()["devices_by"].sql) == []


def test_the_overview_of_a_blueprint_counts_its_devices(reader: Reader) -> None:
    told = {
        line.fact: line.n for section in read_overview(reader, blueprint="Sales").sections for line in section.lines
    }
    assert (told["All"], told["iPhone"], told.get("Mac"), told["devices in contradiction"]) == (1, 1, None, 1)


def test_the_fleet_at_two_moments(reader: Reader) -> None:
    devices, filevault, *_, systems = compare_fleet(reader, BEFORE, NOW)
    assert (devices.start, devices.note) == (BEFORE, "")
    assert {line.fact: line.change for line in systems.lines}["Mac 15"] == 1
    told = {line.fact: line for line in filevault.lines}["FileVault on"]
    assert (told.start, told.end, told.change) == (Then(1, 5, 2), Then(3, 5, 1), 2)


def test_what_history_does_not_reach_is_compared_from_its_beginning_and_says_so(reader: Reader) -> None:
    _, _, firewall, *_ = compare_fleet(reader, BEFORE, NOW, blueprint="Engineering")
    assert firewall.start == READ.replace(tzinfo=None)
    assert f"History of prism_application_firewall begins on {READ:%Y-%m-%d %H:%M} UTC" in firewall.note
