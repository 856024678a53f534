"""`kandji-mirror changes`."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from commands import run
from past_home import PastHome, hours

from kandji_queries.asked_time import moment
from kandji_schema.errors import UsageError

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("24h", "2026-11-19 12:00"),
        ("30m", "2026-11-20 11:30"),
        ("2d", "2026-11-18 12:00"),
        ("1w", "2026-11-13 12:00"),
        ("2026-11-20", "2026-11-20 00:00"),
        ("2026-11-20T12:00", "2026-11-20 12:00"),
        ("2026-11-20T12:00:00Z", "2026-11-20 12:00"),
        ("2026-11-20T12:00+02:00", "2026-11-20 10:00"),
    ],
)
def test_times_are_told_as_people_write_them(text: str, meant: str) -> None:
    assert moment(text, NOW) == datetime.fromisoformat(meant)


@pytest.mark.parametrize("text", ["yesterday", "", "24", "h", "-1d", "999999w", "0001-01-01T00:00+14:00"])
def test_what_is_no_time_is_named_with_what_would_be(text: str) -> None:
    with pytest.raises(UsageError, match="2026-11-20T12:00"):
        moment(text, NOW)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    mirror = PastHome(tmp_path_factory.mktemp("home"))
    lab, shop = ({"device_id": f"d{n}", "serial_number": f"S{n}", "device_name": f"Mac {n}"} for n in (1, 2))
    mirror.add(hours(0), devices=[{**lab, "os_version": "15.1"}, shop], blueprints=[{"id": "b1", "name": "Lab"}])
    mirror.add(hours(1), devices=[{**lab, "os_version": "15.2"}, shop])
    mirror.add(hours(2), devices=[{**lab, "os_version": "15.2"}], blueprints=[{"id": "b1", "name": "Labs"}])
    return mirror.home


def changed(home: Path, *arguments: str) -> list[tuple[str, str, str | None]]:
    done = run(home, "changes", "-f", "jsonl", *arguments)
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


def test_an_empty_answer_says_so_beside_the_data(home: Path) -> None:
    done = run(home, "changes", "--since", "1h", "-f", "csv")
    assert done.stdout.count("\n") == 1
    assert "Nothing of that kind changed" in done.stderr
    asked = run(home, "changes", "--device", "Nobody's Mac")
    assert '"Nobody\'s Mac" has to be a whole identifier, serial number or name' in asked.stderr
    assert "As of" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("--table", "device"), "Did you mean devices"), (("--since", "soon"), "'soon' is no time")],
)
def test_a_wrong_option_is_told(home: Path, arguments: tuple[str, ...], message: str) -> None:
    done = run(home, "changes", *arguments)
    assert (done.returncode, message in done.stderr) == (2, True)
