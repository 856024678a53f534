"""Answers as text."""

import csv
import io
import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from reads_home import small_fleet

from kandji_queries.reader import Reader
from kandji_queries.results.formats import FORMATS, renamed, unique, write
from kandji_queries.results.result import Result
from kandji_queries.results.text_table import width
from kandji_queries.results.values import ResultColumn
from kandji_schema.errors import UnknownName
from kandji_schema.text import has_unseen


@pytest.fixture(scope="module")
def small_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    small_fleet(home)
    return home


def answer(*columns: tuple[str, str, Any], **facts: Any) -> Result:
    """One row; each column is a name, a type and the value."""
    return Result(
        columns=tuple(ResultColumn(name, kind) for name, kind, _ in columns),
        rows=[tuple(value for _, _, value in columns)],
        **{"row_count": 1, "truncated": False, "as_of": {}, "elapsed_ms": 1.0, "notes": [], **facts},
    )


def written(result: Result, format: str) -> str:  # noqa: A002  # the word users type
    out = io.StringIO()
    write(result, format, out)
    return out.getvalue()


VALUES: tuple[tuple[str, Any, Any, str], ...] = (
    ("VARCHAR", None, None, '""'),
    ("VARCHAR", "", "", '""'),
    ("VARCHAR", "José 🖥", "José 🖥", "José 🖥"),
    ("VARCHAR", 'a"b,c\nd', 'a"b,c\nd', '"a""b,c\nd"'),
    ("BOOLEAN", True, True, "true"),
    ("BIGINT", 2**60, 2**60, str(2**60)),
    ("HUGEINT", 2**100, 2**100, str(2**100)),
    ("DOUBLE", 0.1, 0.1, "0.1"),
    ("DOUBLE", float("nan"), None, "nan"),
    ("DOUBLE", float("-inf"), None, "-inf"),
    ("DECIMAL(4,2)", Decimal("1.50"), 1.5, "1.5"),
    ("DECIMAL(30,10)", Decimal("12345678901234567890.1"), "12345678901234567890.1", "12345678901234567890.1"),
    ("TIMESTAMP", datetime(2026, 11, 20, 12), "2026-11-20T12:00:00Z", "2026-11-20T12:00:00Z"),
    ("TIMESTAMP", datetime(2026, 11, 20, 12, 0, 0, 5), "2026-11-20T12:00:00.000005Z", "2026-11-20T12:00:00.000005Z"),
    ("DATE", date(2026, 11, 20), "2026-11-20", "2026-11-20"),
    ("INTERVAL", timedelta(days=1, hours=2, seconds=3.5), "P1DT2H3.5S", "P1DT2H3.5S"),
    ("INTERVAL", timedelta(), "PT0S", "PT0S"),
    ("INTERVAL", -timedelta(minutes=1), "-PT1M", "-PT1M"),
    ("UUID", UUID(int=1), "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000001"),
    ("BLOB", b"\x00\xff", "00ff", "00ff"),
    ("VARCHAR[]", ["a", None], ["a", None], '"[""a"",null]"'),
    ("STRUCT(a INTEGER)", {"a": 1}, {"a": 1}, '"{""a"":1}"'),
    ("MAP(INTEGER, DATE)", {1: date(2026, 1, 1)}, {"1": "2026-01-01"}, '"{""1"":""2026-01-01""}"'),
    ("JSON", '{"a": 1}', {"a": 1}, '"{""a"": 1}"'),
    ("JSON", None, None, '""'),
    ("JSON", "{broken", "{broken", "{broken"),
    ("JSON", r'["\ud83d\ude00"]', ["😀"], r'"[""\ud83d\ude00""]"'),
    ("JSON", r'["\ud83d"]', r'["\ud83d"]', r'"[""\ud83d""]"'),
    ("JSON", "[" * 5_000, "[" * 5_000, "[" * 5_000),
)


@pytest.mark.parametrize(("kind", "value", "in_json", "in_csv"), VALUES)
def test_a_value_reads_the_same_everywhere(kind: str, value: Any, in_json: Any, in_csv: str) -> None:
    result = answer(("v", kind, value))
    assert json.loads(written(result, "arrays"))["rows"] == [[in_json]]
    assert json.loads(written(result, "json")) == [{"v": in_json}]
    assert json.loads(written(result, "jsonl")) == {"v": in_json}
    assert written(result, "csv") == f"v\n{in_csv}\n"
    assert result.to_json()["rows"] == [[in_json]]


def test_arrays_have_exactly_the_promised_keys() -> None:
    result = answer(("n", "BIGINT", 1), as_of={"devices": "2026-11-20T12:00:00Z"})
    assert json.loads(written(result, "arrays")) == {
        "columns": [{"name": "n", "type": "BIGINT"}],
        "rows": [[1]],
        "row_count": 1,
        "truncated": False,
        "as_of": {"devices": "2026-11-20T12:00:00Z"},
        "elapsed_ms": 1.0,
    }


def test_arrays_say_why_they_were_cut() -> None:
    result = answer(("n", "BIGINT", 1), truncated=True, notes=["there is more"])
    assert json.loads(written(result, "arrays"))["notes"] == ["there is more"]
    assert json.loads(written(result, "arrays")) == json.loads(json.dumps(result.to_json()))


def test_csv_survives_a_round_trip() -> None:
    nasty = ['"', ",", "\r\n", " leading", "trailing ", "a'b", "=1+1", "ünï"]
    result = answer(*((f"c{i}", "VARCHAR", text) for i, text in enumerate(nasty)))
    assert list(csv.reader(io.StringIO(written(result, "csv"), newline="")))[1] == nasty


def test_repeated_column_names_stay_apart_where_rows_are_objects_and_are_told() -> None:
    assert unique(["a", "a", "a_2", "b", "a"]) == ["a", "a_3", "a_2", "b", "a_4"]
    result = answer(("a", "BIGINT", 1), ("a", "BIGINT", 2))
    assert json.loads(written(result, "jsonl")) == {"a": 1, "a_2": 2}
    assert json.loads(written(result, "json")) == [{"a": 1, "a_2": 2}]
    assert "'a_2' is a column 'a'" in renamed(result, "json")
    assert [renamed(result, form) for form in ("csv", "arrays", "table")] == ["", "", ""]


def test_a_table_lines_up_wide_letters_and_numbers() -> None:
    result = Result(
        columns=(ResultColumn("name", "VARCHAR"), ResultColumn("n", "BIGINT")),
        rows=[("日本", 1), ("e\u0301", 10), (None, None)],
        row_count=3,
        truncated=False,
        as_of={},
        elapsed_ms=0,
        notes=[],
    )
    assert written(result, "table").splitlines() == [
        "name     n",
        "────  ────",
        "日本     1",
        "e\u0301       10",
        "NULL  NULL",
    ]
    assert width("日本e\u0301") == 5


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (datetime(2026, 11, 20, 12), "2026-11-20 12:00:00"),
        (datetime(2026, 11, 20, 12, 0, 0, 999_999), "2026-11-20 12:00:00"),
        (1.249189561111111, "1.249"),
        (89.3, "89.3"),
        (-2.0, "-2.0"),
        (1.99999, "2.0"),
        (0.000123456, "0.000123"),
        (0.0, "0.0"),
        (1e300, "1e+300"),
        (float("nan"), "nan"),
    ],
)
def test_a_table_shows_times_and_numbers_for_people(value: object, shown: str) -> None:
    kind = "TIMESTAMP" if isinstance(value, datetime) else "VARCHAR"
    assert written(answer(("t", kind, value)), "table").splitlines()[2] == shown


@pytest.mark.parametrize("format", ["table", "markdown"])
def test_no_cell_moves_the_cursor_or_turns_the_line(format: str) -> None:  # noqa: A002  # the word users type
    text = written(answer(("v", "VARCHAR", "a\x1b[2Jb\nc\u202ed\u2066\x9b\r\t")), format)
    assert len(text.splitlines()) == 3
    assert not set(text) & set("\x1b\u202e\u2066\x9b\r\t")


def test_markdown_shows_markup_as_text() -> None:
    text = written(answer(("v|w", "VARCHAR", "[x](http://a) <b> `c` *d* | ~e~ & \\")), "markdown")
    assert text.splitlines() == [
        "| v\\|w |",
        "| --- |",
        "| \\[x\\](http\\://a) \\<b\\> \\`c\\` \\*d\\* \\| \\~e\\~ \\& \\\\ |",
    ]


def test_an_empty_answer_still_has_its_columns() -> None:
    empty = Result(
        columns=(ResultColumn("a", "BIGINT"),), rows=[], row_count=0, truncated=False, as_of={}, elapsed_ms=0, notes=[]
    )
    assert [written(empty, f) for f in ("table", "csv", "jsonl", "markdown")] == [
        "a\n─\n",
        "a\n",
        "",
        "| a |\n| --: |\n",
    ]
    assert written(empty, "json") == "[]\n"
    assert json.loads(written(empty, "arrays"))["rows"] == []


def test_an_unknown_format_names_the_others() -> None:
    with pytest.raises(UnknownName, match="csv"):
        written(answer(("v", "BIGINT", 1)), "csvv")
    assert FORMATS == ("table", "records", "json", "jsonl", "csv", "markdown", "arrays")


def table(columns: dict[str, str], rows: list[tuple[Any, ...]]) -> Result:
    """An answer of several rows, from names and types."""
    return Result(
        columns=tuple(ResultColumn(name, kind) for name, kind in columns.items()),
        rows=rows,
        row_count=len(rows),
        truncated=False,
        as_of={},
        elapsed_ms=0,
        notes=[],
    )


class Terminal(io.StringIO):
    """What a command writes to when somebody looks."""

    def isatty(self) -> bool:
        return True


def shown(result: Result, room: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(room))
    out = Terminal()
    write(result, "table", out)
    return out.getvalue().splitlines()


def test_on_a_terminal_the_last_column_is_broken_between_words(monkeypatch: pytest.MonkeyPatch) -> None:
    result = table({"name": "VARCHAR", "says": "VARCHAR"}, [("a", "one two three four five six seven"), ("b", "eight")])
    assert shown(result, 80, monkeypatch) == written(result, "table").splitlines()
    assert shown(result, 30, monkeypatch) == [
        "name  says",
        "────  ────────────────────────",
        "a     one two three four five",
        "      six seven",
        "b     eight",
    ]


def test_where_columns_do_not_fit_every_row_is_a_record(monkeypatch: pytest.MonkeyPatch) -> None:
    result = table({"name": "VARCHAR", "日本": "VARCHAR", "n": "BIGINT"}, [("x" * 40, "y" * 40, 1), ("z", "", None)])
    assert shown(result, 36, monkeypatch) == [
        "─ 1 " + "─" * 32,
        "name  " + "x" * 40,
        "日本  " + "y" * 40,
        "n     1",
        "─ 2 " + "─" * 32,
        "name  z",
        "日本",
        "n     NULL",
    ]
    wide = table({f"c{n}": "VARCHAR" for n in range(9)}, [("one two three four five six",) * 9])
    assert shown(wide, 26, monkeypatch)[:3] == ["─ 1 " + "─" * 22, "c0  one two three four", "    five six"]


def test_of_many_rows_the_columns_that_say_most_are_shown_and_the_others_named(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["device_id", "device_name", "kind", "none", *(f"column_{n}" for n in range(9))]
    rows = [(f"{n:036}", f"Mac {n}", "Mac", None, *(n * 1_000_000 + c for c in range(9))) for n in range(5)]
    result = table({name: "BIGINT" if name.startswith("column") else "VARCHAR" for name in names}, rows)
    lines = shown(result, 50, monkeypatch)
    assert lines[0].split() == ["device_name", "column_0", "column_1", "column_2"]
    assert lines[2].split() == ["Mac", "0", "0", "1", "2"]
    assert " ".join(lines[7:]) == (
        "4 of 13 columns; for want of room not device_id, kind, none, column_3 and 5 more. -f records shows all."
    )
    assert max(map(len, lines)) <= 50
    monkeypatch.setenv("COLUMNS", "50")
    assert written(result, "records").count("none         NULL\n") == 5


def test_of_no_rows_that_do_not_fit_there_is_nothing_to_show(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(table({f"column_{n}": "VARCHAR" for n in range(20)}, []), 50, monkeypatch) == []
    assert shown(table({"a": "VARCHAR", "b": "VARCHAR"}, []), 50, monkeypatch) == ["a  b", "─  ─"]


def test_a_wide_cell_takes_lines_and_the_table_stays_one(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = {"changed_at": "TIMESTAMP", "on": "VARCHAR", "n": "BIGINT", "what": "VARCHAR"}
    seen = datetime(2026, 11, 20, 12, 0)
    rows = [(seen, "Ana's MacBook Air (J878T9YPMJ)", 1_234_567, "tag " * 30), (seen, "iPad", 1, "x" * 36)]
    lines = shown(table(columns, rows), 80, monkeypatch)
    assert max(map(width, lines)) <= 80
    assert lines[0].split() == ["changed_at", "on", "n", "what"]
    assert [line[:19] for line in lines if line[:4] == "2026"] == ["2026-11-20 12:00:00"] * 2
    assert lines[-2].split() == ["2026-11-20", "12:00:00", "iPad", "1", "x" * 24]
    assert sum(line.count("tag") for line in lines) == 30


@pytest.mark.parametrize("room", [1, 26, 27, 40, 79, 1_000])
def test_whatever_the_width_nothing_is_lost(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["日本語" * 20, "x" * 300, "a b  c", "", "🖥" * 50, "e\u0301" * 70]
    lines = shown(table({"n": "BIGINT", "t": "VARCHAR"}, list(enumerate(texts))), room, monkeypatch)
    said = "".join(lines).replace(" ", "")
    assert all(text.replace(" ", "") in said for text in texts)
    assert room < 27 or room >= 1_000 or max(map(width, lines)) <= room


def test_one_long_cell_does_not_widen_the_lines_of_others() -> None:
    result = table({"a": "VARCHAR", "b": "VARCHAR"}, [("x" * 5_000, "1"), ("y", "2")])
    lines = written(result, "table").splitlines()
    assert [len(line) for line in lines] == [83, 83, 5_003, 83]


TRICKS = "\x1b[2J\x9b\x7f\u202e\u200b\U000e0068\\\U000e0069 日本\t\r\n"


@pytest.mark.parametrize("format", ["json", "jsonl", "csv", "arrays"])
def test_formats_for_programs_are_exact_but_on_a_terminal(format: str) -> None:  # noqa: A002  # the word users type
    result = answer(("v", "VARCHAR", TRICKS), ("w", "VARCHAR", "plain"))
    out = Terminal()
    write(result, format, out)
    shown, piped = out.getvalue(), written(result, format)
    assert not has_unseen(shown, keep="\n")
    assert "日本" in shown
    if format == "csv":
        assert list(csv.reader(io.StringIO(piped, newline="")))[1] == [TRICKS, "plain"]
    else:
        assert json.loads(shown) == json.loads(piped)
    assert "\u202e" in piped


def test_a_plan_is_a_picture(small_home: Path) -> None:
    with Reader(small_home, lazy=True) as reader:
        plan = reader.run("EXPLAIN SELECT platform, count(*) FROM devices WHERE device_name <> 'x\x1b[2J' GROUP BY ALL")
    lines = written(plan, "table").splitlines()
    assert len(lines) > 4
    assert "explain_value" not in lines[0]
    assert not any("\\n" in line or "\x1b" in line for line in lines)


def test_invisible_letters_are_shown() -> None:
    hidden = "".join(chr(0xE0000 + ord(letter)) for letter in "hi")
    assert written(answer(("v", "VARCHAR", f"a{hidden}\u200bb")), "table").splitlines()[2] == (
        "a\\U000e0068\\U000e0069\\u200bb"
    )


def test_markdown_makes_no_links_and_no_emphasis_of_names() -> None:
    text = written(answer(("v", "VARCHAR", "http://a.b www.c.d _x_ device_name __init__")), "markdown")
    assert text.splitlines()[2] == "| http\\://a.b www\\.c.d \\_x\\_ device_name \\_\\_init\\_\\_ |"


@pytest.mark.parametrize(
    ("kind", "value", "in_json"),
    [
        ("JSON", '{"n": 12345678901234567890, "d": 0.1}', {"n": 12345678901234567890, "d": 0.1}),
        ("JSON", '{"d": 1234567890.12345678901234}', {"d": "1234567890.12345678901234"}),
        ("JSON", "[1e400, 1.10, -0.0, 1E2]", ["1E+400", 1.1, -0.0, 100.0]),
        ("JSON", '{"a": 1e999999999999999999999}', '{"a": 1e999999999999999999999}'),
    ],
)
def test_numbers_in_documents_keep_their_digits(kind: str, value: str, in_json: Any) -> None:
    assert json.loads(written(answer(("v", kind, value)), "arrays"))["rows"] == [[in_json]]


ENGINE_VALUES: tuple[tuple[str, Any], ...] = (
    ("NULL", None),
    ("9007199254740993::BIGINT", 9007199254740993),
    ("170141183460469231731687303715884105727::HUGEINT", 170141183460469231731687303715884105727),
    ("1.50::DECIMAL(4,2)", 1.5),
    ("12345678901234567890.123::DECIMAL(30,3)", "12345678901234567890.123"),
    ("'nan'::DOUBLE", None),
    ("['inf'::DOUBLE, 1]", [None, 1.0]),
    ("TIMESTAMP '2026-11-20 12:00:00.000005'", "2026-11-20T12:00:00.000005Z"),
    ("TIMESTAMPTZ '2026-11-20 12:00:00+02'", "2026-11-20T10:00:00Z"),
    ("DATE '2026-11-20'", "2026-11-20"),
    ("TIME '12:00:00.5'", "12:00:00.500000"),
    ("'12:00:00+01'::TIMETZ", "12:00:00+01:00"),
    ("INTERVAL '1 month 2 days 3 hours'", "P32DT3H"),
    ("'\\xAB\\x00'::BLOB", "ab00"),
    ("'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::UUID", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ("'1010'::BIT", "1010"),
    ("'x'::ENUM('x', 'y')", "x"),
    ("union_value(n := 1)", 1),
    ("{'t': TIMESTAMP '2026-01-01', 'l': [NULL, 'a']}", {"t": "2026-01-01T00:00:00Z", "l": [None, "a"]}),
    ("MAP{'k': 1, 'z': NULL}", {"k": 1, "z": None}),
    ("'{\"a\": [1, null]}'::JSON", {"a": [1, None]}),
    ("chr(27) || '[2J' || chr(10) || '|'", "\x1b[2J\n|"),
)


def strictly(text: str) -> Any:
    """JSON as others read it: without Python's own words for NaN and the infinities."""
    return json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))


@pytest.mark.parametrize(("sql", "value"), ENGINE_VALUES)
def test_what_the_engine_answers_is_valid_in_every_format(small_home: Path, sql: str, value: Any) -> None:
    with Reader(small_home, lazy=True) as reader:
        result = reader.run(f"SELECT {sql} AS v, 1 AS v, {sql} AS w")
    assert strictly(written(result, "arrays"))["rows"] == [[value, 1, value]]
    assert strictly(written(result, "jsonl")) == {"v": value, "v_2": 1, "w": value}
    assert len(list(csv.reader(io.StringIO(written(result, "csv"), newline="")))) == 2
    assert [len(written(result, name).splitlines()) for name in ("table", "markdown")] == [3, 3]
    assert "\x1b" not in written(result, "table") + written(result, "markdown")
