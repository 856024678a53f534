"""Every answer is the same in every zone: the engine's clock is UTC, whatever the machine's is."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from past_home import PastHome
from test_questions_catalogue import merged

ROOT = Path(__file__).resolve().parents[1]
PRODUCT = ("schema", "mirror", "queries", "watch", "mcp_server", "web", "cli", "simulator")
ZONES = ("America/Los_Angeles", "Pacific/Auckland")
"""West and east of Greenwich, with daylight saving in either half of the year; the whole suite runs in one more."""

SLACK = {"seconds": 900.0, "moment": 900.0, "hours": 0.3, "age": 900.0, "times_ttl": 7.5}
"""How far a number or moment may move between two processes that ask one after the other, by the end of its name."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two states of every test fleet together, of two and one hours ago."""
    past = PastHome(tmp_path_factory.mktemp("home"))
    now, rows = datetime.now(UTC), merged()
    past.add(now - timedelta(hours=2), **{**rows, "devices": rows["devices"][1:]})
    past.add(now - timedelta(hours=1), **rows)
    return past.home


def asked_in(zone: str, home: Path) -> dict[str, Any]:
    found = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("zone_answers.py")), str(home)],
        env={**os.environ, "TZ": zone, "HOME": str(home), "XDG_CONFIG_HOME": str(home / "config")},
        cwd=home,
        capture_output=True,
        timeout=120,
        check=True,
    )
    answer: dict[str, Any] = json.loads(found.stdout)
    return answer


@pytest.mark.heavy
@pytest.mark.parametrize("zones", [ZONES[:1], pytest.param(ZONES[1:], marks=pytest.mark.many)])
def test_every_query_view_and_door_answers_the_same_in_every_zone(home: Path, zones: tuple[str, ...]) -> None:
    truth = asked_in("UTC", home)
    others = {zone: asked_in(zone, home) for zone in zones}
    assert truth["offset"] not in {answer["offset"] for answer in others.values()}  # each process really was elsewhere
    if differing(others, truth):
        truth = asked_in("UTC", home)  # a day may have ended in between
    assert differing(others, truth) == {}


def differing(others: dict[str, dict[str, Any]], truth: dict[str, Any]) -> dict[tuple[str, str], object]:
    """For each zone and question that is answered otherwise the rows here and there."""
    return {
        (zone, asked): (found["rows"], truth["answers"][asked]["rows"])
        for zone, answer in others.items()
        for asked, found in answer["answers"].items()
        if not _alike(found, truth["answers"][asked])
    }


def _alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    names = [column["name"] for column in one["columns"]]
    left, right = (sorted(answer["rows"], key=_order) for answer in (one, other))
    return len(left) == len(right) and all(
        _near(name, a, b) for x, y in zip(left, right, strict=True) for name, a, b in zip(names, x, y, strict=True)
    )


def _order(row: list[Any]) -> str:
    """Rows in the order of what does not move."""
    return json.dumps([None if isinstance(value, float) else value for value in row])


def _near(name: str, one: Any, other: Any) -> bool:
    slack = next((most for end, most in SLACK.items() if name.endswith(end)), 0.05)
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= slack
    if name == "moment" and one and other:
        return abs(datetime.fromisoformat(one) - datetime.fromisoformat(other)) <= timedelta(seconds=slack)
    return bool(one == other)


def product_files(ending: str) -> Iterator[Path]:
    return (path for folder in PRODUCT for path in sorted((ROOT / folder).rglob(f"*{ending}")))


@pytest.mark.slow
def test_only_one_place_opens_duckdb() -> None:
    opening = [
        path.relative_to(ROOT).as_posix()
        for path in product_files(".py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr == "connect"
        and isinstance(node.value, ast.Name)
        and node.value.id == "duckdb"
    ]
    assert opening == ["schema/kandji_schema/database.py"]


def test_our_own_sql_means_utc_also_in_a_shell_whose_zone_is_another() -> None:
    local = re.compile(r"now\(\)\s*::|current_date|today\(\)|localtimestamp|current_localtime", re.IGNORECASE)
    assert [str(path) for path in product_files(".sql") if local.search(path.read_text(encoding="utf-8"))] == []
