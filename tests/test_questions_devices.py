"""Questions about devices and their people, asked of a fleet where every answer is known."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from known_fleet import BLUEPRINTS, DEVICES, FOX, ROBERT, USERS, answer
from reads_home import NOW, Rows, device, publish

from kandji_queries.reader import Reader
from kandji_schema.errors import UsageError

VOLUMES = (
    '[{"name": "Installer", "percent_used": "100%", "capacity": "1 GB"},'
    ' {"name": "Macintosh HD", "percent_used": "19%", "capacity": "228.27 GB", "available": "20 GB"},'
    ' {"name": "Macintosh HD - Data", "percent_used": "91.5%", "capacity": "228.27 GB", "available": "19.4 GB"}]'
)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    home = tmp_path_factory.mktemp("home")
    tables: dict[str, Rows] = {
        "devices": DEVICES,
        "users": USERS,
        "blueprints": BLUEPRINTS,
        "tags": [{"id": "t1", "name": "lab"}, {"id": "t2", "name": "unused"}],
        "device_details": [
            {"device_id": "d2", "volumes": VOLUMES, "boot_volume": "Macintosh HD"},
            {"device_id": "d6", "supervised": False},
        ],
        "prism_device_information": [{"device_id": "d1", "marketing_name": "Sequoia"}],
        "licensing": [{"plan_type": "single_limit", "max_devices": 10, "computers_count": 12}],
    }
    publish(home, tables)
    with Reader(home) as reader:
        yield reader


def test_versions_are_counted_from_the_newest_number_by_number(reader: Reader) -> None:
    assert reader.query("devices_by_os_version").rows == [
        ("15.1", 15, "Sequoia", 1, 25.0, 0, 0),
        ("14.10", 14, None, 1, 25.0, 0, 0),
        ("14.9", 14, None, 1, 25.0, 0, 0),
        ("unknown", None, None, 1, 25.0, 0, 0),
    ]
    assert reader.query("devices_by_os_version", {"platform": "iPad"}).rows == [("17.1", 17, None, 1, 100.0, 0, 1)]


def test_a_device_that_never_checked_in_is_offline_and_comes_first(reader: Reader) -> None:
    assert answer(reader, "offline_devices", "device_id hours_since_check_in") == [("d4", None)]
    assert answer(reader, "offline_devices", "device_id", blueprint="engineering") == [("d4",)]
    assert answer(reader, "offline_devices", "device_id", blueprint="Engineer") == []


def test_offline_hours_are_counted_to_now_and_blueprints_are_kept_apart(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    home = tmp_path_factory.mktemp("home")
    silent = [device(n, last_check_in=NOW - timedelta(hours=n)) for n in (47, 49, 72)]
    publish(home, {"devices": [*silent, device(9, last_check_in=NOW - timedelta(days=9), blueprint_name="Sales")]})
    with Reader(home) as reader:
        offline = answer(reader, "offline_devices", "device_id", blueprint="ENGINEERING")
        everywhere = answer(reader, "offline_devices", "device_id", hours="48")
    assert (offline, everywhere) == ([("d72",), ("d49",)], [("d9",), ("d72",), ("d49",)])


def test_a_person_is_found_exactly_before_partly(reader: Reader) -> None:
    mine = [("d1", True), ("d2", True), ("d3", True)]
    for asked in ("ANN@example.org", " ann lee", "u1"):
        assert answer(reader, "devices_of_user", "device_id exact_match", user=asked) == mine
    partly = answer(reader, "devices_of_user", "device_id exact_match user_archived", user="b@example")
    assert partly == [("d6", False, True)]
    assert answer(reader, "devices_of_user", "device_id", user="nobody") == []


def test_devices_without_a_person_are_listed_with_their_flags(reader: Reader) -> None:
    assert answer(reader, "devices_without_user", "device_id device_name is_removed") == [
        ("d4", FOX, False),
        ("d5", "iPad", True),
    ]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("d1", ["d1"]),
        (ROBERT, ["d1"]),
        ("S1", ["d1"]),
        ("s2", ["d2", "d3"]),
        ("TWIN", ["d2", "d3"]),
        ("007", ["d3"]),
        ("josé's", ["d4"]),
        ("Jose\N{COMBINING ACUTE ACCENT}’s", ["d4"]),  # noqa: RUF001  # as it is typed on a Mac
        ("\U0001f98a", ["d4"]),
        ("ann@EXAMPLE.org", ["d1", "d2", "d3"]),
        ("bob", ["d6"]),
        ("%", []),
        ("nothing like it", []),
    ],
)
def test_a_device_is_found_by_what_people_call_it(reader: Reader, asked: str, found: list[str]) -> None:
    rows = [device_id for (device_id,) in answer(reader, "find_device", "device_id", device=asked)]
    assert sorted(rows) == found


def test_a_device_cannot_be_asked_for_without_saying_which(reader: Reader) -> None:
    with pytest.raises(UsageError, match="needs the parameter device"):
        reader.query("find_device")


def test_mobile_devices_that_are_not_supervised_come_before_unknown_ones(reader: Reader) -> None:
    assert answer(reader, "unsupervised_mobile_devices", "device_id supervised is_removed") == [
        ("d6", False, False),
        ("d5", None, True),
    ]


def test_agents_are_compared_as_numbers_with_the_newest_of_the_fleet(reader: Reader) -> None:
    assert answer(reader, "macs_with_old_agent", "device_id finding agent_version") == [
        ("d3", "no agent", None),
        ("d2", "old", "4.9 (10)"),
        ("d4", "unknown", None),
    ]
    found = answer(reader, "macs_with_old_agent", "device_id finding", version="4.9")
    assert found == [("d3", "no agent"), ("d4", "unknown")]


def test_computers_are_replaced_for_their_age_or_for_a_full_start_volume(reader: Reader) -> None:
    assert answer(reader, "replacement_candidates", "device_id years_enrolled is_old free_percent is_full") == [
        ("d1", 5.5, True, None, None),
        ("d2", 0.3, False, 8.5, True),
    ]
    assert answer(reader, "replacement_candidates", "device_id", free_percent=5, years=6) == []


def test_the_year_of_a_model_counts_where_it_is_asked_for(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("home")
    models = ["MacBook Pro (13-inch, 2019, Two ports)", f"iMac ({NOW.year - 4})", "Mac mini", None]
    machines = [device(n, model=model, first_enrollment=NOW) for n, model in enumerate(models)]
    pc = device(8, platform="Windows", model="X1", first_enrollment=NOW)
    space = {"device_id": "d8", "bios_version": "1", "total_capacity": "486061", "available_capacity": "24303"}
    publish(home, {"devices": [*machines, pc], "device_details": [space]})
    with Reader(home) as reader:
        by_model = answer(reader, "replacement_candidates", "device_id model_year is_old", age_by="model")
        by_age = answer(reader, "replacement_candidates", "device_id free_percent")
    assert by_model == [("d0", 2019, True), ("d8", None, False)]
    assert by_age == [("d8", 5.0)]


def test_licences_left_may_be_negative_and_stand_beside_what_is_mirrored(reader: Reader) -> None:
    asked = "max_devices used left_to_enrol mirrored_devices mirrored_removed"
    assert answer(reader, "licence_usage", asked) == [(10, 12, -2, 6, 1)]


def test_new_devices_are_those_of_the_last_days(reader: Reader) -> None:
    assert answer(reader, "new_devices", "device_id") == []
    assert len(answer(reader, "new_devices", "device_id", days=101)) == len(DEVICES) - 1


def test_shared_names_and_serial_numbers_are_told_whatever_their_case(reader: Reader) -> None:
    assert answer(reader, "duplicate_devices", "shared value devices device_id") == [
        ("serial number", "s2", 2, "d2"),
        ("serial number", "s2", 2, "d3"),
        ("name", "twin", 2, "d2"),
        ("name", "twin", 2, "d3"),
    ]


def test_models_and_tags_count_what_has_none(reader: Reader) -> None:
    assert reader.query("devices_by_model").rows == [
        ("Mac", "MacBook Air", 4, 0, 0),
        ("iPad", "MacBook Air", 1, 0, 1),
        ("iPhone", "MacBook Air", 1, 0, 0),
        (None, "unknown", 1, 1, 0),
    ]
    assert reader.query("devices_by_tag").rows == [
        ("lab", 5, 0, 1, "t1"),
        ("(no tag)", 2, 1, 0, None),
        ("vip", 1, 0, 0, None),
        ("unused", 0, 0, 0, "t2"),
    ]
    assert answer(reader, "devices_with_tag", "device_id tags", tag="VIP") == [("d6", ["lab", "vip"])]


def test_people_and_devices_that_do_not_belong_together_are_found(reader: Reader) -> None:
    assert answer(reader, "people_without_devices", "user_name archived provider_count") == [
        ("Cara", False, 0),
        ("Dan", True, None),
        ("Eve", None, None),
    ]
    assert len(answer(reader, "people_without_devices", "user_id", with_archived=False)) == 2
    assert answer(reader, "devices_of_archived_people", "device_id user_name user_archived user_active") == [
        ("d6", "Bob", True, False)
    ]
