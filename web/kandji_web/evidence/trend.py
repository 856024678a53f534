"""The line of a control: the share that passed day by day, broken where a day is not known. Drawn here, as SVG.

Colours are the page's own, by class. What is drawn is told in words too, for those who do not see it.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from markupsafe import Markup, escape

from kandji_queries.evidence.contents import DayCount

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 720, 120, 52, 12, 22
"""Of the picture, and what is left for words around the plot."""

LEAST = 10.0
"""Least range of the axis, in points of a percent: a change of one in ten thousand is no cliff."""

ROOM = 70
"""Width from which a gap has room for words."""

Point = tuple[float, float]


def trend(days: Sequence[DayCount]) -> Markup:
    """Return the picture of a control's days; nothing where none is known or nobody is measured."""
    if all(count.percent is None for count in days):
        return Markup()
    floor = _floor(days)
    parts = [
        *_axis(floor),
        *_gaps(days),
        *_lines(days, floor),
        *_words(days),
    ]
    head = f'<svg class="trend" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(told(days))}">'
    return Markup(f"{head}{''.join(parts)}</svg>")  # noqa: S704  # numbers and escaped words


def told(days: Sequence[DayCount]) -> str:
    """Say in a sentence what the line shows."""
    known = [count for count in days if count.percent is not None]
    if not known:
        return "No day of the period is known."
    first, last, low = known[0], known[-1], min(known, key=lambda count: count.percent or 0.0)
    gaps = sum(count.is_gap for count in days)
    broken = f" {gaps} of {len(days)} days are not known: there the line is broken." if gaps else " Every day is known."
    ends = f"Passed: {first.percent} % on {first.day}, {last.percent} % on {last.day}"
    return f"{ends}; lowest {low.percent} % on {low.day}.{broken}"


def _floor(days: Iterable[DayCount]) -> float:
    lowest = min(count.percent for count in days if count.percent is not None)
    return max(0.0, min(lowest // 10 * 10, 100 - LEAST))


def _x(place: float, days: int) -> float:
    return round(LEFT + (WIDTH - LEFT - 8) * (place + 0.5) / days, 1)


def _y(percent: float, floor: float) -> float:
    return round(TOP + (HEIGHT - TOP - BOTTOM) * (100 - percent) / (100 - floor), 1)


def _axis(floor: float) -> Iterator[str]:
    for percent in (100.0, floor):
        y = _y(percent, floor)
        yield f'<line class="rule" x1="{LEFT}" x2="{WIDTH - 8}" y1="{y}" y2="{y}"/>'
        yield f'<text class="word" x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{percent:.0f} %</text>'


def _gaps(days: Sequence[DayCount]) -> Iterator[str]:
    width = (WIDTH - LEFT - 8) / len(days)
    for is_gap, run in groupby(enumerate(days), key=lambda pair: pair[1].is_gap):
        places = [place for place, _ in run]
        if is_gap:
            x, wide = LEFT + places[0] * width, len(places) * width
            yield f'<rect class="gap" x="{x:.1f}" y="{TOP}" width="{wide:.1f}" height="{HEIGHT - TOP - BOTTOM}"/>'
            if wide > ROOM:
                at = f'x="{x + wide / 2:.1f}" y="{HEIGHT / 2:.1f}" text-anchor="middle"'
                yield f'<text class="word" {at}>not known</text>'


def _lines(days: Sequence[DayCount], floor: float) -> Iterator[str]:
    """Give a line for each run of days that are known, and a point for a day alone."""
    for is_known, run in groupby(enumerate(days), key=lambda pair: pair[1].percent is not None):
        if is_known:
            points = [(_x(place, len(days)), _y(count.percent or 0.0, floor)) for place, count in run]
            yield _drawn(points)


def _drawn(points: Sequence[Point]) -> str:
    if len(points) == 1:
        return f'<circle class="point" cx="{points[0][0]}" cy="{points[0][1]}" r="2.5"/>'
    listed = " ".join(f"{x},{y}" for x, y in points)
    return f'<polyline class="line" points="{listed}"/>'


def _words(days: Sequence[DayCount]) -> Iterator[str]:
    yield f'<text class="word" x="{LEFT}" y="{HEIGHT - 6}">{days[0].day}</text>'
    yield f'<text class="word" x="{WIDTH - 8}" y="{HEIGHT - 6}" text-anchor="end">{days[-1].day}</text>'
