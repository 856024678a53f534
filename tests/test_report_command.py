"""``kandji-mirror report`` as people and cron meet it."""

from pathlib import Path

import pytest
from commands import run
from reads_home import small_fleet

BROWSER = """#!/bin/sh
for word in "$@"; do case "$word" in
    --print-to-pdf=*) printf '%s' "%PDF of $HOME" > "${word#--print-to-pdf=}";;
esac; done
"""
"""A browser that prints its home."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    small_fleet(folder)
    return folder


def test_the_command_prints_the_paths_and_tells_the_rest(home: Path, tmp_path: Path) -> None:
    done = run(home, "report", "--to", str(tmp_path / "fleet.html"), "--section", "licences")
    assert (done.returncode, done.stdout.split()) == (0, [str(tmp_path / "fleet.html")])
    assert "As of " in done.stderr
    assert "1 picture in 1 section" in done.stderr
    assert (tmp_path / "fleet.html").read_text().startswith("<!DOCTYPE html>")


@pytest.mark.heavy
def test_a_hyphen_writes_the_page_to_stdout_and_nothing_else_goes_with_it(home: Path) -> None:
    done = run(home, "report", "--to", "-", "--section", "licences")
    assert (done.returncode, done.stdout[:15], done.stdout[-8:]) == (0, "<!DOCTYPE html>", "</html>\n")
    assert run(home, "report", "--to", "-", "--json").returncode == 2


@pytest.mark.parametrize(
    ("asked", "code", "words"),
    [
        pytest.param(["--section", "x"], 2, "There is no section", marks=pytest.mark.heavy),
        pytest.param(["--blueprint", "x"], 2, "There is no blueprint", marks=pytest.mark.slow),
        pytest.param(["--since", "2999-01-01"], 2, "future", marks=pytest.mark.heavy),
        (["--strict"], 9, "not there"),
    ],
)
def test_what_cannot_be_reported_ends_with_its_code_and_leaves_nothing(
    home: Path, tmp_path: Path, asked: list[str], code: int, words: str
) -> None:
    done = run(home, "report", "--to", str(tmp_path / "fleet.html"), *asked)
    assert done.returncode == code
    assert words in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_before_the_first_sync_there_is_no_report(tmp_path: Path) -> None:
    assert run(tmp_path, "report", "--to", str(tmp_path / "fleet.html")).returncode == 7


@pytest.mark.slow
def test_a_browser_of_the_machine_prints_the_pdf_without_what_is_in_our_environment(home: Path, tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    asked = ("report", "--to", str(tmp_path / "fleet.html"), "--section", "licences", "--pdf")
    nowhere = {"PATH": str(programs)}
    done = run(home, *asked, **nowhere)
    assert (done.returncode, "print it as PDF" in done.stderr) == (2, True)
    (programs / "chromium").write_text(BROWSER)
    (programs / "chromium").chmod(0o755)
    done = run(home, *asked, PATH=f"{programs}:/usr/bin:/bin")
    assert done.stdout.split() == [str(tmp_path / "fleet.html"), str(tmp_path / "fleet.pdf")]
    assert (tmp_path / "fleet.pdf").read_text().startswith("%PDF of /")
    assert str(home) not in (tmp_path / "fleet.pdf").read_text()
