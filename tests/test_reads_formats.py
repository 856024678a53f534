"""Answers as text."""

import csv
import io
import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from kandji_queries.formats import FORMATS, unique, write
from kandji_queries.result import Column, Result
from kandji_queries.tabular import width
from kandji_schema.errors import UnknownName


def answer(*columns: tuple[str, str, Any], **facts: Any) -> Result:
    """One row; each column is a name, a type and the value."""
    return Result(
        columns=tuple(Column(name, kind) for name, kind, _ in columns),
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
    assert json.loads(written(result, "json"))["rows"] == [[in_json]]
    assert json.loads(written(result, "jsonl")) == {"v": in_json}
    assert written(result, "csv") == f"v\n{in_csv}\n"
    assert result.to_json()["rows"] == [[in_json]]


def test_json_has_exactly_the_promised_keys() -> None:
    result = answer(("n", "BIGINT", 1), as_of={"devices": "2026-11-20T12:00:00Z"})
    assert json.loads(written(result, "json")) == {
        "columns": [{"name": "n", "type": "BIGINT"}],
        "rows": [[1]],
        "row_count": 1,
        "truncated": False,
        "as_of": {"devices": "2026-11-20T12:00:00Z"},
        "elapsed_ms": 1.0,
    }


def test_json_says_why_it_was_cut() -> None:
    result = answer(("n", "BIGINT", 1), truncated=True, notes=["there is more"])
    assert json.loads(written(result, "json"))["notes"] == ["there is more"]
    assert json.loads(written(result, "json")) == json.loads(json.dumps(result.to_json()))


def test_csv_survives_a_round_trip() -> None:
    nasty = ['"', ",", "\r\n", " leading", "trailing ", "a'b", "=1+1", "ünï"]
    result = answer(*((f"c{i}", "VARCHAR", text) for i, text in enumerate(nasty)))
    assert list(csv.reader(io.StringIO(written(result, "csv"), newline="")))[1] == nasty


def test_repeated_column_names_stay_apart_in_jsonl() -> None:
    assert unique(["a", "a", "a_1", "b", "a"]) == ["a", "a_2", "a_1", "b", "a_3"]
    result = answer(("a", "BIGINT", 1), ("a", "BIGINT", 2))
    assert json.loads(written(result, "jsonl")) == {"a": 1, "a_1": 2}


def test_a_table_lines_up_wide_letters_and_numbers() -> None:
    result = Result(
        columns=(Column("name", "VARCHAR"), Column("n", "BIGINT")),
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


def test_a_table_shows_times_for_people() -> None:
    result = answer(("t", "TIMESTAMP", datetime(2026, 11, 20, 12)))
    assert written(result, "table").splitlines()[2] == "2026-11-20 12:00:00"


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
        columns=(Column("a", "BIGINT"),), rows=[], row_count=0, truncated=False, as_of={}, elapsed_ms=0, notes=[]
    )
    assert [written(empty, f) for f in ("table", "csv", "jsonl", "markdown")] == [
        "a\n─\n",
        "a\n",
        "",
        "| a |\n| --: |\n",
    ]
    assert json.loads(written(empty, "json"))["rows"] == []


def test_an_unknown_format_names_the_others() -> None:
    with pytest.raises(UnknownName, match="csv"):
        written(answer(("v", "BIGINT", 1)), "csvv")
    assert FORMATS == ("table", "json", "jsonl", "csv", "markdown")
