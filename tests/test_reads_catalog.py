"""Named queries: how a file is read, how values are checked."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kandji_queries.catalog.params import Param, parse_declaration
from kandji_queries.catalog.queries import NamedQuery, catalog, named
from kandji_queries.charts.hint import ChartHint
from kandji_schema.errors import ConfigurationError, UnknownName, UsageError

HEADER = "-- title: T\n-- description: D\n"


def load(folder: Path, text: str) -> NamedQuery:
    (folder / "q.sql").write_text(text, encoding="utf-8")
    return catalog.__wrapped__(folder)["q"]


def test_a_file_becomes_a_query(tmp_path: Path) -> None:
    query = load(
        tmp_path,
        "-- title: Old devices\n"
        "-- description: Devices older than\n"
        "--   some days.\n"
        "-- param: days int = 7 [1, 30] | Days.\n"
        "-- chart: bar x=n y=n\n"
        "-- a remark\n"
        "SELECT $days AS n, '$no' AS text; -- $neither\n".replace("-- a remark\n", ""),
    )
    assert query == NamedQuery(
        name="q",
        title="Old devices",
        description="Devices older than some days.",
        params=(Param("days", "int", "Days.", default=7, required=False, low=1, high=30),),
        sql="SELECT $days AS n, '$no' AS text; -- $neither",
        chart=ChartHint(kind="bar", x="n", y=("n",)),
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (HEADER, "no statement"),
        ("-- title: T\nSELECT 1", "0 `-- description:` lines"),
        (HEADER + "-- title: again\nSELECT 1", "2 `-- title:` lines"),
        (HEADER + "-- colour: red\nSELECT 1", "line 3: `colour` is not one of"),
        (HEADER + "-- param: x text | X.\nSELECT 1", "line 3: the parameter x is declared but not used"),
        (HEADER + "-- for: fun\nSELECT 1", "line 3: a query is made for pictures or"),
        (HEADER + "SELECT\n  $y", r"line 4: the parameter \$y is used but not declared"),
        (HEADER + "-- param: x number | X.\nSELECT $x", "line 3: a parameter is declared as"),
        (HEADER + "-- param: x int = seven | X.\nSELECT $x", "line 3: The parameter x is 'seven'"),
        (HEADER + "-- param: x int = 9 [1, 5] | X.\nSELECT $x", "from 1 to 5"),
        (HEADER + "-- param: x int | X.\n-- param: x text | X.\nSELECT $x", "declared twice"),
        (
            HEADER + "-- lacks: nothing\nSELECT 1",
            "line 3: `lacks` names 'nothing', which is no parameter of it: it decl",
        ),
        (HEADER + "-- param: x text | X.\n-- lacks: x\nSELECT $x", "line 4: `lacks` names 'x', .* only app, user"),
        (HEADER + "-- counts: devises\nSELECT 1", "line 3: what is counted is devices or people, not 'devises'"),
        (HEADER + "-- counts: devices\n-- counts: people\nSELECT 1", "line 4: it has a second `-- counts:` line"),
        (
            HEADER + "-- param: with_removed bool = true | X.\n-- counts: devices\nSELECT $with_removed",
            "line 4: `counts` brings the parameter with_removed",
        ),
    ],
)
def test_a_wrong_file_is_an_error_with_its_line(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint) as error:
        load(tmp_path, text)
    assert str(error.value).startswith("q.sql, line ")


@pytest.mark.parametrize(
    ("declaration", "raw", "value"),
    [
        ("x text | X.", "a", "a"),
        ("x text = 14.0 | X.", None, "14.0"),
        ("x version | X.", "v14.0 beta 2", "v14.0 beta 2"),
        ("x text optional | X.", None, None),
        ("x int | X.", "7", 7),
        ("x int | X.", 7.0, 7),
        ("x float [0, 1] | X.", "0.5", 0.5),
        ("x bool | X.", "Yes", True),
        ("x bool = false | X.", None, False),
        ("x date | X.", "2026-11-20", date(2026, 11, 20)),
        ("x enum(any, Mac) = any | X.", "Mac", "Mac"),
    ],
)
def test_a_value_is_read_as_declared(declaration: str, raw: object, value: Any) -> None:
    assert parse_declaration(declaration).value(raw) == value


@pytest.mark.parametrize(
    ("declaration", "raw"),
    [
        ("x text | X.", 7.5),
        ("x text | X.", " "),
        ("x version | X.", "newest"),
        ("x version | X.", ""),
        ("x text | X.", "a" * 1_001),
        ("x text | X.", "a\0"),
        ("x int | X.", "seven"),
        ("x int | X.", 7.5),
        ("x int | X.", True),
        ("x int | X.", 2**63),
        ("x int [1, 5] | X.", 6),
        ("x float | X.", "nan"),
        ("x float | X.", "inf"),
        ("x bool | X.", "maybe"),
        ("x date | X.", "20.11.2026"),
        ("x enum(any, Mac) | X.", "macs"),
        ("x enum(any, Mac) | X.", ["any"]),
    ],
)
def test_a_wrong_value_says_what_it_must_be(declaration: str, raw: object) -> None:
    with pytest.raises(UsageError, match=r"The parameter x is .*; it must be"):
        parse_declaration(declaration).value(raw)


def test_parameters_are_bound_completely(tmp_path: Path) -> None:
    query = load(tmp_path, HEADER + "-- param: a text | A.\n-- param: b int = 2 | B.\nSELECT $a, $b")
    assert query.bind({"a": "x"}) == {"a": "x", "b": 2}
    with pytest.raises(UsageError, match=r"needs the parameter a, a text .*: A\."):
        query.bind({})
    with pytest.raises(UnknownName, match="Did you mean a"):
        query.bind({"a": "x", "aa": 1})


def test_an_unknown_query_offers_the_nearest() -> None:
    with pytest.raises(UnknownName, match="stale_devices"):
        named("stale_device")
