"""``kandji-mirror show``: a device on one page, for people and for programs."""

import json
from pathlib import Path

import pytest
from agent_fleet import agent_fleet
from commands import run


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("home")
    agent_fleet(found)
    return found


def shown(home: Path, *arguments: str) -> str:
    ended = run(home, "show", *arguments, COLUMNS="80")
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.heavy
def test_a_page_fits_the_terminal_and_says_what_is_not_known(home: Path) -> None:
    page = shown(home, "jane's macbook")  # typed with a straight apostrophe

    lines = page.splitlines()
    assert lines[0] == "Jane’s MacBook"  # noqa: RUF001  # the apostrophe Apple puts into names
    assert "  Name            Eve                     E-mail          eve@example.org" in lines
    assert "  Firewall                not known       Gatekeeper              not known" in lines
    assert "What contradicts itself; Live actions" in page.partition("\nNONE\n")[2]
    assert max(map(len, lines)) <= 80


@pytest.mark.heavy
def test_programs_get_an_object_in_which_unknown_is_null(home: Path) -> None:
    found = json.loads(shown(home, "S1", "--include", "apps", "-f", "json"))

    assert (found["person"]["user_email"], found["security"]["filevault_on"]) == ("Ann@example.org", True)
    assert found["security"]["secure_boot_level"] is None
    assert {"name": "Falcon", "version": "7.1"} in found["apps"]
    assert found["threats"] == []
    assert found["as_of"]["devices"]


def test_a_part_there_is_not_is_named_with_those_there_are(home: Path) -> None:
    ended = run(home, "show", "S1", "--include", "filevault_key")

    assert ended.returncode == 2
    assert "There is no part of a profile 'filevault_key'" in ended.stderr
