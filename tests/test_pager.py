"""A screen at a time, and colours: what a terminal gets, and what it does not where nobody wants that."""

import os
from pathlib import Path

import pytest
from commands import run
from reads_home import device, publish
from terminal import typed

PAGER = "sed 's/^/> /' | cat"
"""A pager that shows that it had a line: a command line of the shell."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    publish(folder, {"devices": [device(number) for number in range(40)]})
    return folder


def lines(home: Path, *arguments: str, **settings: str) -> list[str]:
    code, shown = typed(home, [*arguments], {}, LINES="24", COLUMNS="80", **settings)
    assert code == 0, shown
    return shown.replace("\r\n", "\n").splitlines()


def test_what_is_longer_than_the_screen_goes_to_the_pager_and_messages_come_after_it(home: Path) -> None:
    asked = ("sql", "SELECT device_name FROM devices")
    long = lines(home, *asked, PAGER=PAGER)
    assert [line.startswith("> ") for line in long] == [True] * 42 + [False] * (len(long) - 42)
    assert long[42] == "40 rows."
    assert not any(line.startswith("> ") for line in lines(home, *asked, "--limit", "5", PAGER=PAGER))


@pytest.mark.heavy
def test_a_pager_is_switched_off_in_three_ways_and_is_never_there_for_programs(home: Path) -> None:
    asked = ("sql", "SELECT device_name FROM devices")
    for how, settings in (
        ((), {"PAGER": "cat"}),
        ((), {"PAGER": PAGER, "KANDJI_MIRROR_PAGER": "cat"}),
        (("--no-pager",), {"PAGER": PAGER}),
    ):
        assert not any(line.startswith("> ") for line in lines(home, *asked, *how, **settings))
    assert "> " not in run(home, *asked, PAGER=PAGER).stdout


@pytest.mark.many
def test_a_pager_that_is_left_early_or_is_none_is_no_failure(home: Path) -> None:
    asked = ("sql", "SELECT d.*, range FROM devices d, range(200)", "-f", "csv")
    assert len(lines(home, *asked, KANDJI_MIRROR_PAGER="head -3")) < 10
    told = lines(home, *asked[:2], KANDJI_MIRROR_PAGER="/nowhere/less", KANDJI_MIRROR_QUERY_ROWS="10000")
    assert sum(line.startswith("warning: The pager /nowhere/less could not be started") for line in told) == 1
    assert sum(line.startswith("device_id") for line in told) == 1, told[:60]
    assert "8,000 rows." in told


def test_states_and_errors_have_colours_where_there_is_a_terminal(home: Path) -> None:
    coloured = {"TERM": "xterm", "NO_COLOR": ""}
    if "FORCE_COLOR" in os.environ:
        pytest.skip("this environment forces colours")
    assert any("\x1b[32mok\x1b[0m" in line for line in lines(home, "status", **coloured))
    assert not any("\x1b" in line for line in lines(home, "status", TERM="xterm", NO_COLOR="1"))
    assert "\x1b" not in run(home, "status").stdout
    assert "\x1b[32mok\x1b[0m" in run(home, "status", FORCE_COLOR="1", NO_COLOR="").stdout
    assert "\x1b[31mkandji-mirror:\x1b[0m " in run(home, "sql", "nonsense", FORCE_COLOR="1", NO_COLOR="").stderr
