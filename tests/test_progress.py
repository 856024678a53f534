"""What a sync shows while it goes on: a picture that fits the terminal, a line now and then elsewhere."""

from io import StringIO

import pytest
from rich.console import Console

from kandji_cli.progress import NOW_AND_THEN, Lines, Picture
from kandji_mirror.report import Outcome
from kandji_schema.manifest import State
from kandji_schema.registry import tenant_tables


def ended(table: str, state: State = State.OK, error: str | None = None) -> Outcome:
    return Outcome(table, state, rows=1, requests=1, seconds=0.1, changed=True, error=error)


def console(width: int, height: int = 24, *, terminal: bool = True) -> tuple[Console, StringIO]:
    out = StringIO()
    return Console(file=out, width=width, height=height, force_terminal=terminal, color_system=None), out


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_picture_fits_the_terminal_whatever_runs(width: int) -> None:
    names, clock = [*tenant_tables()], Clock()
    screen, out = console(width)
    picture = Picture(screen, lambda: 9_831, clock)
    picture.planned(names)
    for name in names[:40]:
        picture.started(name)
        picture.advanced(name, pages=1_000, rows=9_999_999, total=99_999_999)
    clock.now = 61.0
    for name in names[:2]:
        picture.finished(ended(name))
    screen.print(picture)
    lines = out.getvalue().splitlines()
    assert (len(lines) <= 23, max(map(len, lines)) <= width) == (True, True)
    assert lines[0].endswith(f" 2 of {len(names)} tables  1:01")
    assert any(line.startswith("  and ") and line.endswith(" more") for line in lines)
    assert lines[-1].startswith("2 ok; 9,831 requests left this hour")
    assert out.getvalue().count("requests left") == 1


def test_a_failure_stays_above_the_picture_and_is_counted() -> None:
    screen, out = console(80)
    picture = Picture(screen, lambda: None)
    picture.planned(["apps", "tags", "users"])
    picture.finished(ended("apps", State.FAILED, "answer \x1b[2J cut"))
    picture.finished(ended("tags", State.FORBIDDEN, "No permission"))
    screen.print(picture)
    assert "apps: answer \\u001b[2J cut\n" in out.getvalue()
    assert "tags: " not in out.getvalue()
    assert out.getvalue().rstrip().endswith("1 no permission, 1 failed")


def test_without_a_terminal_a_long_table_is_told_now_and_then() -> None:
    clock, (log, out) = Clock(), console(80, terminal=False)
    lines = Lines(log, clock)
    lines.planned(["device_details", "tags"])
    lines.started("device_details")
    for second in range(0, 70, 5):
        clock.now = float(second)
        lines.advanced("device_details", pages=second, rows=second, total=300)
    lines.finished(ended("device_details"))
    told = out.getvalue().splitlines()
    assert NOW_AND_THEN == 30
    assert told == [
        "device_details: 30 of 300; 0 of 2 tables done",
        "device_details: 60 of 300; 0 of 2 tables done",
        "device_details: ok, 1 row, 1 request",
    ]
