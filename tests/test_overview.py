"""``kandji-mirror overview``: the fleet in numbers, each with what lists the devices behind it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from agent_fleet import agent_fleet
from commands import run

from kandji_queries.catalog.queries import named
from kandji_queries.overview import Line, Overview, read_overview
from kandji_queries.reader import Reader


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("home")
    agent_fleet(found)
    return found


@pytest.fixture(scope="module")
def reader(home: Path) -> Iterator[Reader]:
    with Reader(home) as found:
        yield found


@pytest.fixture(scope="module")
def overview(reader: Reader) -> Overview:
    return read_overview(reader)


def lines(overview: Overview, section: str) -> dict[str, Line]:
    (found,) = (each for each in overview.sections if each.name == section)
    return {line.fact: line for line in found.lines}


def test_devices_are_counted_with_the_removed_and_missing_ones_beside(overview: Overview) -> None:
    told = {fact: line.n for fact, line in lines(overview, "devices").items()}

    assert told == {
        "All": 8,
        "Mac": 5,
        "iPad": 1,
        "iPhone": 1,
        "platform not known": 1,
        "marked missing": 1,
        "marked removed": 1,
        "no contact for 14 days": 1,
        "enrolled in 7 days": 0,
        "without a person": 2,
    }


def test_a_share_tells_of_how_many_it_is_not_known(overview: Overview) -> None:
    told = lines(overview, "posture")

    assert {fact: (line.n, line.whole, line.unknown) for fact, line in told.items()} == {
        "FileVault on": (3, 5, 1),
        "FileVault key escrowed": (2, 5, 1),
        "Firewall on": (1, 5, 3),
        "Gatekeeper on": (2, 5, 3),
        "Integrity (SIP) on": (2, 5, 2),
        "Not locked by a person": (1, 7, 5),
    }
    assert told["FileVault on"].percent == 60.0


def test_what_was_never_read_is_not_none(overview: Overview) -> None:
    told = {**lines(overview, "trouble"), **lines(overview, "expiring")}

    assert (told["critical vulnerabilities"].n, told["commands that wait"].n) == (1, None)
    assert told["enrolment tokens, 60 days"].n is None


def test_what_lists_each_number_is_there(overview: Overview, reader: Reader) -> None:
    behind = {repr(line.behind): line.behind for section in overview.sections for line in section.lines}

    for found in behind.values():
        if found and found.query:
            named(found.query).bind(found.params or {})
        if found and found.sql:
            reader.run(f"SELECT count(*) FROM ({found.sql})")
    assert len(behind) > 15


@pytest.mark.heavy
def test_the_page_fits_the_terminal_and_programs_get_an_object(home: Path) -> None:
    page = run(home, "overview", COLUMNS="80")
    found = json.loads(run(home, "overview", "-f", "json").stdout)

    assert page.stdout.startswith("The fleet of ")
    assert "  FileVault on            3/5  60 %, 1 unknown" in page.stdout
    assert max(map(len, page.stdout.splitlines())) <= 80
    assert found["sections"]["devices"][0] == {
        "fact": "All",
        "n": 8,
        "command": "kandji-mirror query devices_by_platform",
    }
    assert found["as_of"]["devices"]
