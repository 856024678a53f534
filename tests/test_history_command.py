"""`kandji-mirror changes`."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from commands import run
from past_home import PastHome, hours
from reads_home import device, publish

from kandji_queries.times import read_moment
from kandji_schema.errors import UsageError

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("24h", "2026-11-19 12:00"),
        ("30m", "2026-11-20 11:30"),
        ("2d", "2026-11-18 12:00"),
        ("1w", "2026-11-13 12:00"),
        ("today", "2026-11-20 00:00"),
        (" Yesterday ", "2026-11-19 00:00"),
        ("2026-11-20", "2026-11-20 00:00"),
        ("2026-11-20T12:00", "2026-11-20 12:00"),
        ("2026-11-20T12:00:00Z", "2026-11-20 12:00"),
        ("2026-11-20T12:00+02:00", "2026-11-20 10:00"),
    ],
)
def test_times_are_told_as_people_write_them(text: str, meant: str) -> None:
    assert read_moment(text, NOW) == datetime.fromisoformat(meant)


@pytest.mark.parametrize("text", ["1mon", "", "24", "h", "-1d", "999999w", "0001-01-01T00:00+14:00"])
def test_what_is_no_time_is_named_with_what_would_be(text: str) -> None:
    with pytest.raises(UsageError, match="2026-11-20T12:00"):
        read_moment(text, NOW)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    mirror = PastHome(tmp_path_factory.mktemp("home"))
    lab, shop = ({"device_id": f"d{n}", "serial_number": f"S{n}", "device_name": f"Mac {n}"} for n in (1, 2))
    mirror.add(hours(0), devices=[{**lab, "os_version": "15.1"}, shop], blueprints=[{"id": "b1", "name": "Lab"}])
    mirror.add(hours(1), devices=[{**lab, "os_version": "15.2"}, shop])
    mirror.add(hours(2), devices=[{**lab, "os_version": "15.2"}], blueprints=[{"id": "b1", "name": "Labs"}])
    return mirror.home


def changed(home: Path, *arguments: str) -> list[tuple[str, str, str | None]]:
    since = () if "--since" in arguments else ("--since", "2026-03-02T08:00Z")
    done = run(home, "changes", "--by-column", "-f", "jsonl", *since, *arguments)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return [(row["table_name"], row["change"], row["new_value"]) for row in rows]


UPDATE = ("devices", "changed", "15.2")
RENAMED = ("blueprints", "changed", "Labs")
GONE = ("devices", "removed", None)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), [UPDATE, RENAMED, GONE]),
        (("--device", "s1"), [UPDATE]),
        (("--device", "MAC 2"), [GONE]),
        (("--table", "blueprints"), [RENAMED]),
        (("--since", "2026-03-02T09:30"), [RENAMED, GONE]),
        (("--until", "2026-03-02T10:00"), [UPDATE]),
        (("--limit", "2"), [RENAMED, GONE]),
        (("--since", "1h"), []),
    ],
)
def test_changes_are_narrowed_and_in_order_of_time(
    home: Path, arguments: tuple[str, ...], expected: list[tuple[str, str, str | None]]
) -> None:
    assert changed(home, *arguments) == expected


@pytest.fixture(scope="module")
def told(home: Path) -> list[dict[str, Any]]:
    done = run(home, "changes", "--since", "2026-03-01", "-f", "jsonl")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_changes_are_told_by_thing_and_counted(told: list[dict[str, Any]]) -> None:
    names = ("thing", "change", "what", "changes", "devices", "which")
    assert [tuple(row[name] for name in names) for row in told] == [
        ("device", "changed", "os 15.1 -> 15.2", 1, 1, "Mac 1 (S1)"),
        ("device", "removed", "device removed", 1, 1, "Mac 2 (S2)"),
        ("blueprint", "changed", "blueprint Labs: name Lab -> Labs", 1, 0, None),
    ]


def test_a_person_sees_the_summary_first_and_which_time_was_looked_at(home: Path) -> None:
    done = run(home, "changes", "--since", "2026-03-01")
    assert done.stdout.startswith("device: 1 removed, 1 changed. blueprint: 1 changed.\n\nchanged_at")
    usual = run(home, "changes")
    assert ("of the last 7 days" in usual.stderr, usual.returncode) == (True, 0)


def test_two_moments_are_compared_whatever_their_zone(home: Path) -> None:
    asked = ("--compare", "--table", "devices", "--since", "2026-03-02T10:30+02:00", "--until", "2026-03-03")
    done = run(home, "changes", *asked, "-f", "jsonl")
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {
            **{"difference": "other", "name": None, "device_name": "Mac 1", "serial_number": "S1"},
            **{"what": "os_version 15.1 -> 15.2", "row_key": {"device_id": "d1"}, "rows": 1},
            "columns": [{"column_name": "os_version", "then_value": "15.1", "now_value": "15.2"}],
        },
        {
            **{"difference": "only then", "name": None, "device_name": "Mac 2", "serial_number": "S2"},
            **{"what": None, "row_key": {"device_id": "d2"}, "columns": [], "rows": 1},
        },
    ]
    assert "devices at 2026-03-02T08:30:00Z and at 2026-03-03T00:00:00Z; 2026-03-03 is the start" in done.stderr
    assert "Mac 2 (S2)" in run(home, "changes", *asked).stdout


def test_an_empty_answer_says_so_beside_the_data(home: Path) -> None:
    done = run(home, "changes", "--since", "1h", "-f", "csv")
    assert done.stdout.count("\n") == 1
    assert "Nothing of that kind changed" in done.stderr
    asked = run(home, "changes", "--device", "Nobody's Mac")
    assert (asked.returncode, 'No device fits "Nobody\'s Mac"' in asked.stderr) == (2, True)
    assert "As of" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--table", "device"), "Did you mean devices"),
        (("--since", "soon"), "'soon' is no time"),
        (("--table", "users"), "No history is kept of users"),
        (("--table", "custom_scripts"), "It is kept of blueprints, devices"),
        (("--since", "1h", "--until", "2h"), "since '1h' is not before until '2h'"),
        (("--since", "2999-01-01"), "lies in the future"),
        (("--since", "2019-01-01", "--until", "2020-01-01"), "History begins on 2026-03-02 08:00 UTC"),
        (("--table", "devices", "--since", "2026-03-01", "--until", "2026-03-02T08:00"), "History of devices begins"),
        (("--compare", "--since", "2026-03-02"), "name a table and since when"),
        (("--compare", "--table", "devices"), "name a table and since when"),
        (("--compare", "--table", "devices", "--since", "2026-03-01"), "Compare since 2026-03-02T08:00:00Z or later"),
        (("--compare", "--table", "devise", "--since", "2026-03-03"), "Did you mean devices"),
        (("--compare", "--table", "devices", "--since", "2999-01-01"), "lies in the future"),
    ],
)
def test_a_time_or_table_of_which_nothing_is_known_is_refused(
    home: Path, arguments: tuple[str, ...], message: str
) -> None:
    done = run(home, "changes", *arguments)
    assert (done.returncode, message in done.stderr, done.stdout) == (2, True, ""), done.stderr


def test_the_part_of_a_time_that_history_does_not_cover_is_told(home: Path) -> None:
    begins = "History begins on 2026-03-02 08:00 UTC; what changed earlier is not known."
    assert begins in run(home, "changes", "--since", "2026-03-01").stderr
    assert begins in json.loads(run(home, "changes", "--since", "2026-03-01", "--arrays").stdout)["notes"]
    assert "begins" not in run(home, "changes", "--since", "2026-03-02T08:30").stderr
    assert "until now" in run(home, "changes", "--since", "1h", "--until", "2999-01-01").stderr


def test_without_history_nobody_says_that_nothing_changed(tmp_path: Path) -> None:
    publish(tmp_path, {"devices": [device(1)]})
    done = run(tmp_path, "changes")
    assert "No history is kept yet" in done.stderr
    assert run(tmp_path, "changes", "--table", "devices").returncode == 2


@pytest.mark.parametrize(
    ("query", "params", "told"),
    [
        ("device_changes", ["since=2026-03-01"], True),
        ("device_changes", ["since=2026-03-02T08:30:00Z"], False),
        ("device_changes", ["since=24h"], False),
        ("device_changes", ["hours=87600"], True),
        ("device_changes", [], False),
        ("changes_on_device", ["device=d1", "days=3650"], True),
        ("changes_on_device", ["device=d1"], False),
    ],
)
def test_named_queries_about_changes_take_the_same_times_and_tell_the_same(
    home: Path, query: str, params: list[str], told: bool
) -> None:
    done = run(home, "query", query, *(part for param in params for part in ("-p", param)))
    assert (done.returncode, "History begins on 2026-03-02 08:00" in done.stderr) == (0, told), done.stderr


def test_a_table_as_it_will_be_is_refused_and_so_is_a_change_to_come(home: Path) -> None:
    for command in (
        ("sql", "FROM devices_as_of('2999-01-01')"),
        ("sql", "FROM blueprints_as_of(now() + INTERVAL 1 day)"),
    ):
        done = run(home, *command)
        assert (done.returncode, "lies in the future" in done.stderr) == (5, True), done.stderr
    assert run(home, "sql", "FROM devices_as_of(now())").returncode == 0
    done = run(home, "query", "device_changes", "-p", "since=2999-01-01")
    assert (done.returncode, "not in the future" in done.stderr) == (2, True)
