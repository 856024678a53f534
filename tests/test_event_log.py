"""The log of `serve` and `mcp`: forms of a line, what is never in it, and that a lasting trouble is told once."""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from kandji_mcp_server.logs import JsonLines, RepeatFilter, TextLines
from kandji_schema.events import about, lines_of, recovery, trouble


@dataclass
class Lines:
    """A logger of its own, what it wrote, and its clock."""

    log: logging.Logger
    written: list[str] = field(default_factory=list)
    now: float = 0.0

    def clock(self) -> float:
        return self.now

    def documents(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.written]


@pytest.fixture
def lines() -> Iterator[Lines]:
    found = Lines(logging.getLogger("test.event_log"))

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.written.append(self.format(record))

    handler = Kept()
    handler.setFormatter(JsonLines())
    handler.addFilter(RepeatFilter(found.clock))
    found.log.addHandler(handler)
    found.log.setLevel(logging.DEBUG)
    found.log.propagate = False
    yield found
    found.log.removeHandler(handler)


def test_a_line_for_programs_has_its_moment_event_and_fields(lines: Lines) -> None:
    lines.log.info("Asked for: 1 ok — “ü”", extra=about("run.ended", run="2026-11-30T14:00:00+00:00", requests=3))
    (line,) = lines.documents()
    assert str(line.pop("time")).endswith("Z")
    assert line == {
        "level": "info",
        "event": "run.ended",
        "text": "Asked for: 1 ok — “ü”",
        "run": "2026-11-30T14:00:00+00:00",
        "requests": 3,
    }


def test_no_device_is_named_by_the_path_of_a_request_and_the_next_device_is_no_other_trouble(lines: Lines) -> None:
    for device in ("08857c4c-9016-4b2e-9374-6bf0fc11c813", "FFFFFFFF-9016-4B2E-9374-6BF0FC11C813"):
        words = f"GET /api/v1/devices/{device}/activity answered 401"
        lines.log.warning("Syncing rests: %s", words, extra=trouble("sync.rests"))
    assert [line["text"] for line in lines.documents()] == [
        "Syncing rests: GET /api/v1/devices/{id}/activity answered 401"
    ]


@pytest.mark.parametrize("encoding", ["ascii", "iso8859-1", "UTF-8"])
def test_a_line_is_json_whatever_the_encoding_of_the_stream(encoding: str) -> None:
    record = logging.LogRecord("x", logging.INFO, "x.py", 1, "/home/jürgen/“/\udcff", (), None)
    written = JsonLines(encoding).format(record).encode(encoding, "backslashreplace")
    assert json.loads(written.decode())["text"] == "/home/jürgen/“/\udcff"


def test_a_field_that_is_none_of_the_list_is_refused() -> None:
    with pytest.raises(ValueError, match="has no field email"):
        about("run.ended", email="jane@example.com")


@pytest.mark.parametrize("form", [JsonLines(), TextLines()])
def test_of_an_unforeseen_error_kind_and_place_are_told_and_never_its_words(form: logging.Formatter) -> None:
    try:
        dict[str, int]()["jane@example.com"]
    except KeyError as error:
        failed = (KeyError, error, error.__traceback__)
        record = logging.LogRecord("test", logging.ERROR, __file__, 1, "It failed\nhere.", (), failed)
    told = form.format(record)
    assert "jane" not in told.replace("test_of_an_unforeseen", "")
    assert "KeyError" in told
    assert "test_event_log.py" in told


def test_a_line_for_people_says_when_how_grave_and_what() -> None:
    record = logging.LogRecord("test", logging.WARNING, __file__, 1, "%s rests.", ("devices",), None)
    record.created = 1_795_996_800.5
    assert TextLines().format(record) == "2026-11-30T00:00:00Z WARNING devices rests."


def test_a_trouble_is_told_once_until_it_changes_ends_or_a_day_has_passed(lines: Lines) -> None:
    def fail(words: str, table: str = "devices") -> None:
        lines.log.warning("%s", words, extra=trouble("table.failed", table=table))

    for minute in range(100):
        lines.now = minute * 60.0
        fail(f"503, tried again in {minute} s")
    fail("503, tried again in 1 s", "apps")
    fail("403")
    fail("403")
    lines.log.info("read again", extra=recovery("table.recovered", "table.failed", table="devices"))
    fail("403")
    lines.now += 24 * 3600
    fail("403")
    fail("403", "apps")
    assert [(line["table"], line["text"]) for line in lines.documents()] == [
        ("devices", "503, tried again in 0 s"),
        ("apps", "503, tried again in 1 s"),
        ("devices", "403"),
        ("devices", "read again"),
        ("devices", "403"),
        ("devices", "403"),
        ("apps", "403"),
    ]


def test_of_several_tenants_each_line_and_each_trouble_is_of_one(lines: Lines) -> None:
    for tenant in ("acme", "beta", "beta", ""):
        with lines_of(tenant):
            lines.log.warning("Syncing rests.", extra=trouble("sync.rests", priority="fast"))
    assert [line.get("tenant") for line in lines.documents()] == ["acme", "beta", None]
    record = logging.LogRecord("x", logging.WARNING, "x.py", 1, "Syncing rests.", (), None)
    with lines_of("acme"):
        vars(record).update(about("sync.rests"))
    assert TextLines().format(record).endswith("WARNING acme: Syncing rests.")


def test_a_trouble_that_lasts_is_told_again_each_day_with_how_often(lines: Lines) -> None:
    for hour in range(49):
        lines.now = hour * 3600.0
        lines.log.error("The disk is full.", extra=trouble("sync.bug"))
    told = [line["text"] for line in lines.documents()]
    again = "The disk is full. (still so, 23 times since it was told)"
    assert told == ["The disk is full.", again, again]


def test_a_flood_of_lines_without_an_event_is_counted(lines: Lines) -> None:
    def warn() -> None:
        lines.log.warning("refused")

    for _ in range(1_000):
        warn()
    lines.now = 61.0
    warn()
    assert [line["text"] for line in lines.documents()] == ["refused"] * 5 + ["refused (995 more like it before)"]
