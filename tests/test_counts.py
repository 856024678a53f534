"""Numbers in the words of the command line."""

from pathlib import Path

import pytest
from commands import run
from reads_home import small_fleet

from kandji_schema.text import counted, size


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    small_fleet(folder)
    return folder


@pytest.mark.parametrize(("number", "words"), [(0, "0 rows"), (1, "1 row"), (2_000, "2,000 rows")])
def test_one_is_one(number: int, words: str) -> None:
    assert counted(number, "row") == words


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (3_400, "3.4 kB"), (5_600_000, "5.6 MB"), (81.5e9, "81.5 GB")],
)
def test_no_size_is_rounded_to_nothing(number: int, words: str) -> None:
    assert size(number) == words


@pytest.mark.parametrize(
    ("rows", "words"), [(0, "0 rows."), (1, None), (20, None), (21, "21 rows."), (2_000, "2,000 rows.")]
)
def test_the_number_of_rows_is_told_where_eyes_do_not_see_it(home: Path, rows: int, words: str | None) -> None:
    done = run(home, "sql", f"SELECT range AS n FROM range({rows})")
    assert ([line for line in done.stderr.splitlines() if "row" in line]) == ([words] if words else [])
    assert "row" not in run(home, "sql", f"SELECT range AS n FROM range({rows})", "-f", "csv").stderr


def test_a_list_without_rows_says_so(home: Path) -> None:
    assert "0 rows." in run(home, "audit", "list").stderr


def test_one_table_one_file_and_few_bytes_are_told_as_such(home: Path, tmp_path: Path) -> None:
    told = run(home, "export", "devices", "-f", "csv", "--to", str(tmp_path / "out")).stderr.splitlines()[-1]
    assert " rows in 1 file, " in told
    assert " kB, in " in told or " bytes, in " in told
