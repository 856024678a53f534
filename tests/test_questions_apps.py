"""Questions about apps: versions, rarity, inventories."""

from collections.abc import Iterator

import pytest
from known_fleet import APPS, DEVICES, ROBERT, answer
from reads_home import publish

from kandji_queries.reader import Reader


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    home = tmp_path_factory.mktemp("home")
    publish(home, {"devices": DEVICES, "apps": APPS})
    with Reader(home) as reader:
        yield reader


def test_versions_of_an_app_are_shares_of_the_devices_that_have_it(reader: Reader) -> None:
    assert reader.query("app_versions", {"app": "WORD", "platform": "Mac"}).rows == [
        ("Word", "com.Word", "16.10", 1, 1, 33.3, 0, 0),
        ("Word", "com.Word", "16.9", 2, 3, 66.7, 0, 0),
        ("Word", "com.Word", "unknown", 1, 1, 33.3, 0, 0),
    ]
    assert answer(reader, "app_versions", "version devices", app="word", platform="iPhone") == [("2.0", 1)]
    assert answer(reader, "app_versions", "app bundle_id percent", app="ソフ") == [("ソフト", None, 100.0)]
    assert answer(reader, "app_versions", "app", app="_") == []


def test_the_inventory_counts_devices_once_and_copies_all(reader: Reader) -> None:
    assert reader.query("app_inventory").rows == [
        ("Edge", "com.Edge", "130.0", 1, 1, "Mac"),
        ("Edge", "com.Edge", "129.5", 1, 1, "Mac"),
        ("Word", "com.Word", "16.10", 1, 1, "Mac"),
        ("Word", "com.Word", "16.9", 2, 3, "Mac"),
        ("Word", "com.Word", "2.0", 1, 1, "iPhone"),
        ("Word", "com.Word", None, 1, 1, "Mac"),
        ("ソフト", None, "1.0", 1, 1, "Mac"),
    ]


def test_rare_apps_name_all_their_devices(reader: Reader) -> None:
    assert reader.query("rare_apps").rows == [
        ("ソフト", None, 1, True, None, ["D1"]),
        ("Edge", "com.Edge", 2, True, None, ["D3", "GONE"]),
    ]
    assert answer(reader, "rare_apps", "app devices", fewer_than=1) == []


def test_apps_that_are_not_on_the_list_are_told_however_common(reader: Reader) -> None:
    asked = "app devices rare allowed serial_numbers"
    assert answer(reader, "rare_apps", asked, fewer_than=1, allowed="edge, ソフト") == [("Word", 4, False, False, None)]
    assert answer(reader, "rare_apps", asked, fewer_than=1, allowed="COM.WORD , com.edge") == [
        ("ソフト", 1, False, False, None)
    ]


@pytest.mark.heavy
def test_a_device_without_apps_in_the_mirror_is_no_device_without_apps(reader: Reader) -> None:
    asked = "device_id app version"
    assert answer(reader, "apps_on_device", asked, device=ROBERT) == [("d1", "Word", "16.10"), ("d1", "ソフト", "1.0")]
    assert answer(reader, "apps_on_device", asked, device="twin") == [
        ("d2", "Word", "16.9"),
        ("d2", "Word", "16.9"),
        ("d3", "Edge", "130.0"),
        ("d3", "Word", "16.9"),
        ("d3", "Word", None),
    ]
    assert answer(reader, "apps_on_device", asked, device="iPad") == [("d5", None, None)]
    assert answer(reader, "apps_on_device", asked, device="../devices/d1") == []


def test_developers_are_counted_by_device(reader: Reader) -> None:
    assert reader.query("apps_by_developer").rows == [("Microsoft", 2, 4, 7), ("unknown", 2, 2, 2)]
