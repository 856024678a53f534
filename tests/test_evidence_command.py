"""``evidence`` as it is typed: its folder, what it says, without names, and what is refused."""

import csv
from pathlib import Path

import pytest
from commands import run
from evidence_home import CONTROLS, EXCEPTIONS, OWN, invented, make_home


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_home(tmp_path_factory.mktemp("typed") / "home", invented()[:2])
    (folder / "own.toml").write_text(OWN, encoding="utf-8")
    (folder / "exceptions.csv").write_text(EXCEPTIONS, encoding="utf-8")
    return folder


@pytest.mark.heavy
def test_a_folder_is_written_told_and_verified(home: Path, tmp_path: Path) -> None:
    to, own = tmp_path / "q3", home / "own.toml"
    asked = ["evidence", "--from", "2026-07-01", "--to", "2026-07-05", "--framework", str(own), "--to", str(to)]
    done = run(home, *asked, "--exceptions", str(home / "exceptions.csv"))
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{to / 'index.html'}\n"
    for words in (
        "Not known on 2026-07-01: devices, prism_filevault, prism_local_users (history begins on 2026-07-02 09:00",
        "not read from the tenant; the last reading was on 2026-07-03",
        "Exception of S99 from O-2: no device with this serial number was listed.",
        "2 of 5 days are known.",
    ):
        assert words in " ".join(done.stderr.split())
    assert len(list(csv.DictReader((to / "days.csv").read_text().splitlines()))) == 5 * len(CONTROLS)
    assert run(home, "evidence", "verify", str(to)).returncode == 0
    (to / "days.csv").write_text("")
    spoilt = run(home, "evidence", "verify", str(to))
    assert (spoilt.returncode, "days.csv has 0 bytes" in spoilt.stderr) == (8, True)


@pytest.mark.parametrize(
    ("asked", "code", "words"),
    [
        ((), 2, "--to DIR is missing"),
        (("--to", "x", "--framework", "cis"), 2, "--until is missing"),
        (("--to", "x", "--to", "2026-07-02", "--until", "2026-07-03"), 2, "--until is given twice"),
        (("--to", "x", "--to", "2026-07-02", "--framework", "cis"), 2, "--from is missing"),
        (("--from", "2026-07-01", "--to", "x", "--until", "today", "--framework", "nist"), 3, "Name one of cis"),
        (("--from", "soon", "--to", "x", "--until", "today", "--framework", "cis"), 2, "'soon' is no time"),
    ],
)
def test_what_is_missing_or_wrong_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: tuple[str, ...], code: int, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run(tmp_path, "evidence", *asked)
    assert (done.returncode, words in " ".join(done.stderr.split())) == (code, True), done.stderr
    assert not (tmp_path / "x").exists()
