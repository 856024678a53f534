"""What a person reads at 80 columns; the same in a pipe stays a line for programs that look for it."""

from pathlib import Path

import pytest
from commands import run
from past_home import PastHome, hours
from terminal import typed

from kandji_queries.catalog.device_lookup import find_one
from kandji_queries.reader import Reader
from kandji_schema.errors import UnknownName, UsageError

DEVICES = 60


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty Macs of one name; each got another system, and one of the blueprints another name."""
    mirror = PastHome(tmp_path_factory.mktemp("home"))
    macs = [{"device_id": f"d{n:02}", "serial_number": f"S{n:02}", "device_name": "Mac"} for n in range(DEVICES)]
    mirror.add(hours(0), devices=macs, blueprints=[{"id": "b1", "name": "Lab"}])
    newer = [{**mac, "os_version": f"15.{n}"} for n, mac in enumerate(macs)]
    mirror.add(hours(1), devices=newer, blueprints=[{"id": "b1", "name": "Labs"}])
    return mirror.home


def at_80(home: Path, *arguments: str) -> tuple[int, list[str]]:
    code, shown = typed(home, [*arguments], {}, COLUMNS="80")
    lines = shown.replace("\r\n", "\n").splitlines()
    assert [line for line in lines if len(line) > 80 and " " in line.strip()] == []
    return code, lines


def test_changes_end_after_a_screen_and_say_how_to_see_the_rest(home: Path) -> None:
    asked = ("changes", "--since", "2026-03-01")
    code, lines = at_80(home, *asked)
    assert (code, sum(line.startswith("2026-") for line in lines)) == (0, 50)
    last = " ".join(lines[-2:])
    assert "These are 50 of 61 lines, devices first. --all shows all of them, --limit 200 so many" in last
    assert not any("blueprint Lab" in line for line in lines[1:])
    piped = run(home, *asked)
    assert (piped.stdout.count("\n2026-"), "These are" in piped.stderr) == (61, False)
    both = run(home, *asked, "--all", "--limit", "3")
    assert (both.returncode, "leave one of them out" in both.stderr) == (2, True)


@pytest.mark.slow
def test_all_changes_are_shown_where_they_are_asked_for(home: Path) -> None:
    assert sum(line.startswith("2026-") for line in at_80(home, "changes", "--since", "2026-03-01", "--all")[1]) == 61


def test_the_list_of_tables_is_short_and_tells_where_to_begin(home: Path) -> None:
    code, lines = at_80(home, "tables")
    assert (code, lines[0].split(maxsplit=3)) == (0, ["table", "rows", "age", "one row per"])
    assert len(lines) < 120
    assert "Start with fleet" in lines[-2] + lines[-1]
    (devices,) = (line.split(maxsplit=2) for line in lines if line.startswith("devices "))
    assert devices[1] == str(DEVICES)


def test_status_has_a_line_a_table(home: Path) -> None:
    code, lines = at_80(home, "status")
    assert (code, lines[0].split()) == (0, ["table", "state", "rows", "age", "due", "after"])
    assert "method" in run(home, "status").stdout.splitlines()[0]


def test_an_answer_of_no_rows_shows_no_list_of_columns(home: Path) -> None:
    code, lines = at_80(home, "sql", "FROM fleet WHERE false")
    assert (code, lines[0]) == (0, "0 rows.")


def test_a_wide_plan_is_an_outline_whatever_its_texts_look_like(home: Path) -> None:
    hostile = "'╭─ 山 ┬ ┴ ╮'"
    asked = f"EXPLAIN SELECT {hostile} AS a FROM devices d, users u, blueprints b WHERE d.device_name LIKE {hostile}"
    code, lines = at_80(home, "sql", f"{asked} AND d.blueprint_id = b.id AND u.id = d.user_id")
    assert (code, any("╰" in line for line in lines)) == (0, False), lines
    assert lines[0] == "Projection"
    assert [line.split("• ")[1] for line in lines if "• " in line].count("Seq Scan") > 1, lines


def test_the_mark_below_a_long_statement_stays_below_its_word(home: Path) -> None:
    code, lines = at_80(home, "sql", f"SELECT {', '.join(['device_id'] * 6)}, nosuch, device_id FROM devices d")
    (mark,) = (number for number, line in enumerate(lines) if line.strip() and not line.strip().strip("^"))
    begin = lines[mark].index("^")
    assert (code, lines[mark - 1][begin : begin + 6]) == (5, "nosuch"), lines


def test_candidates_have_a_line_each_on_a_terminal_and_are_one_line_elsewhere(home: Path) -> None:
    code, lines = at_80(home, "show", "mac")
    assert (code, lines[0]) == (2, "kandji-mirror: 60 devices fit 'mac', newest contact first:")
    assert sum(line.startswith("  'Mac' (serial S") for line in lines) == 8
    assert lines[-2:] == ["  and 52 more", "Call again with one of these serial numbers or ids."]
    piped = run(home, "show", "mac").stderr
    assert piped.count("\n") == 1
    assert "'Mac' (serial S00, id d00" in piped


def test_notes_and_errors_are_broken_between_words_on_a_terminal(home: Path) -> None:
    asked = ("describe", "qqqq")
    code, lines = at_80(home, *asked)
    piped = run(home, *asked).stderr
    assert (code, piped.count("\n")) == (2, 1)
    assert len(lines) > 1
    assert " ".join(lines) == piped.rstrip()


def test_what_a_text_means_is_told_with_every_candidate(home: Path) -> None:
    with Reader(home) as reader, pytest.raises(UsageError) as error:
        find_one(reader, "mac")
    head, *candidates, remedy = error.value.lines()
    assert str(error.value) == " ".join([head, f"{'; '.join(c.strip() for c in candidates)}.", remedy])


def test_of_many_names_the_nearest_few_are_listed() -> None:
    known = [f"table_{n}" for n in range(200)]
    told = str(UnknownName("table", "qqq", known))
    assert (told.count("table_"), "There are 200, the nearest of them" in told) == (6, True)
    assert str(UnknownName("format", "qqq", ["csv", "json"])).endswith("There are: csv, json.")
    assert "(5,000 characters)" in (long := str(UnknownName("table", "a" * 5_000, known)))
    assert len(long) < 500


def test_a_column_is_described_by_its_table_and_name(home: Path, tmp_path: Path) -> None:
    told = run(tmp_path, "describe", "Devices.device_name")
    assert (told.returncode, told.stdout.startswith("devices.device_name: VARCHAR. Name of the device")) == (0, True)
    wrong = run(home, "describe", "fleet.device_nam")
    assert "There is no column of fleet 'device_nam'. Did you mean device_name" in wrong.stderr


def test_help_and_search_name_what_else_there_is(home: Path) -> None:
    told = run(home, "sql", "--help").stdout
    assert all(word in told for word in ("fleet", "tables", "describe", "search", "queries"))
    assert "`kandji-mirror changes`" in run(home, "search", "apps", "updated").stderr
    assert "disk_space" in run(home, "search", "free", "disk").stdout


def test_a_statement_that_is_none_is_named_in_few_words(home: Path) -> None:
    assert "The statement is empty." in run(home, "sql", ";").stderr
    assert len(run(home, "sql", "a" * 5_000).stderr) < 700
