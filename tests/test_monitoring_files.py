"""What `monitoring` prints: every metric and label that alerts and dashboard name is told by a real scrape."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from commands import run

from kandji_cli.commands.monitoring import SHIPPED
from kandji_mcp_server.monitoring.definitions import METRICS
from kandji_mcp_server.monitoring.shipped import FILES, address, shipped
from kandji_schema.settings import Settings

BY_NAME = {metric.name: metric for metric in METRICS.values()}
OTHERS = {"up": {"job", "instance"}, "process_resident_memory_bytes": {"job", "instance"}}
"""Of Prometheus itself, and of its client library; `test_monitoring` sees the latter in a scrape."""

SERIES = Path(__file__).parent / "fixtures" / "alerts.test.yml"
NAME = re.compile(r"\b(kandji_mirror_\w+|process_\w+|up)\b(?:\{([^}]*)\})?")


def expressions(value: Any) -> Iterator[str]:
    """Every expression of a dashboard."""
    if isinstance(value, Mapping):
        yield from (text for key, text in value.items() if key == "expr")
        yield from (each for inner in value.values() for each in expressions(inner))
    elif isinstance(value, list):
        yield from (each for inner in value for each in expressions(inner))


def named(expression: str) -> Iterator[tuple[str, set[str]]]:
    """Metrics of an expression, each with the labels that are asked of it."""
    for name, asked in NAME.findall(expression):
        plain = name.removesuffix("_bucket") if name.endswith("_bucket") else name
        yield plain, set(re.findall(r"(\w+)\s*[=!]~?", asked))


def assert_told(expression: str) -> None:
    found = list(named(expression))
    assert found, expression
    for name, labels in found:
        known = OTHERS[name] if name in OTHERS else {*BY_NAME[name].all_labels, "job", "instance"}
        assert labels <= known, expression
    grouped = {
        label for group in re.findall(r"(?:by|without) \(([^)]*)\)", expression) for label in re.split(", *", group)
    }
    known = {label for name, _ in found for label in (OTHERS.get(name) or BY_NAME[name].all_labels)}
    assert grouped <= {*known, "le"}, expression


def test_the_dashboard_is_json_of_grafanas_shape_and_asks_for_what_is_told() -> None:
    document = json.loads(shipped("dashboard"))
    assert {"title", "uid", "schemaVersion", "panels", "templating", "time"} <= document.keys()
    panels = document["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) > 15
    for panel in panels:
        assert {"type", "title", "gridPos", "targets", "datasource", "fieldConfig"} <= panel.keys()
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        assert panel["targets"]
    taken = [
        (panel["gridPos"]["x"] + across, panel["gridPos"]["y"] + down)
        for panel in panels
        for across in range(panel["gridPos"]["w"])
        for down in range(panel["gridPos"]["h"])
    ]
    assert len(taken) == len(set(taken))  # no panel lies on another
    asked = list(expressions(document))
    assert len(asked) >= len(panels)
    for expression in asked:
        assert_told(expression)
    (query,) = [each["definition"] for each in document["templating"]["list"] if each["name"] == "tenant"]
    assert re.fullmatch(r"label_values\((\w+), tenant\)", query)
    assert next(named(query))[0] in BY_NAME


def test_the_alerts_ask_for_what_is_told() -> None:
    text = shipped("alerts")
    asked = re.findall(r"expr: (?:>-\n)?((?:.|\n)*?)\n +(?:for|labels):", text)
    assert len(asked) == len(re.findall(r"- alert: ", text)) == 5
    for expression in asked:
        assert_told(expression)


def test_what_the_page_says_of_alerts_is_there() -> None:
    page = (Path(__file__).parents[1] / "docs" / "monitoring.md").read_text(encoding="utf-8")
    for alert in re.findall(r"- alert: (\w+)", shipped("alerts")):
        assert f"| `{alert}` |" in page


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        ({}, "127.0.0.1:8765"),
        ({"mirror_http_port": 9_000, "mirror_http_host": "::1"}, "[::1]:9000"),
        (
            {"mirror_http_host": "10.0.0.5", "mirror_http_allowed_hosts": "mirror.example.com,10.0.0.5"},
            "mirror.example.com:8765",
        ),
        ({"mirror_http_allowed_hosts": "mirror.example.com:8443"}, "mirror.example.com:8443"),
    ],
)
def test_the_scrape_names_where_serve_is(settings: dict[str, Any], where: str) -> None:
    assert address(Settings(**settings)) == where
    assert f'targets: ["{where}"]' in shipped("scrape", Settings(**settings))


def test_the_command_prints_each_file(tmp_path: Path) -> None:
    assert tuple(FILES) == SHIPPED
    for what in SHIPPED:
        ended = run(tmp_path, "monitoring", what)
        assert (ended.returncode, ended.stdout) == (0, shipped(what))


promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool, of Prometheus, is not installed")


@promtool
def test_promtool_takes_the_alerts_and_they_fire_when_they_should(tmp_path: Path) -> None:
    (tmp_path / "alerts.yml").write_text(shipped("alerts"), encoding="utf-8")
    shutil.copy(SERIES, tmp_path)
    for command in (["check", "rules", "alerts.yml"], ["test", "rules", SERIES.name]):
        ended = subprocess.run(["promtool", *command], cwd=tmp_path, capture_output=True, text=True)  # noqa: S607
        assert (ended.returncode, "SUCCESS" in ended.stdout) == (0, True), ended.stdout + ended.stderr


@promtool
def test_promtool_takes_the_scrape(tmp_path: Path) -> None:
    (tmp_path / "prometheus.yml").write_text(shipped("scrape"), encoding="utf-8")
    (tmp_path / "kandji-mirror-alerts.yml").write_text(shipped("alerts"), encoding="utf-8")
    command = ["promtool", "check", "config", "--syntax-only", "prometheus.yml"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
