"""Lines of an answer: points in time, a line for each y or for each value of ``by``."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import pairwise
from statistics import median
from typing import Any

from kandji_queries.charts.bars import series_of
from kandji_queries.charts.chart import Chart
from kandji_queries.charts.colours import OTHERS, SERIES
from kandji_queries.charts.meanings import is_verdict
from kandji_queries.charts.number_text import number
from kandji_queries.charts.plot import NO_VALUE, Category, Numbers, Panel, Plot, Series, cells, label, makes_sum, sum_of
from kandji_queries.charts.sentence import value_text
from kandji_schema.text import counted

MOST_LINES = len(SERIES)
"""Lines of one chart that can be told apart."""

MOST_POINTS = 400
"""Points of a line; of more every second, third ... is drawn, and the last."""

GAP = 1.5
"""How many of the usual steps two points may be apart and still be joined."""

Lines = dict[str, dict[Any, float | None]]
"""By the name of a line its numbers, by x."""


def line_plot(chart: Chart) -> Plot:
    """Return the lines of a chart whose columns are all there."""
    hint = chart.hint
    xs = [label(x) if isinstance(x, (list, dict)) else x for x in cells(chart, hint.x)]
    lines = (
        _by_value(chart, xs)
        if hint.by
        else {name: dict(zip(xs, map(number, cells(chart, name)), strict=True)) for name in hint.y}
    )
    lines, remarks = _fewer(lines, min(hint.top, MOST_LINES), makes_sum(hint))
    series = [*series_of([*lines], judge=hint.by is None or is_verdict(hint.by))]
    if hint.by:
        there = {*map(label, cells(chart, hint.by))}
        series = [
            Series(name, one.colour if name in there else OTHERS) for name, one in zip(lines, series, strict=True)
        ]
    places = {x: moment(x) for x in dict.fromkeys(xs)}
    timed = any(at is not None for at in places.values())
    points = [*_points(lines, places)] if timed else [*_numbered(lines, [*places])]
    shown, thinned = _thinned(points)
    without = sum(x is None for x in xs) if timed else 0
    remarks += [f"{counted(without, 'row')} without a date: in the table only."] if without else []
    return Plot(hint, tuple(series), (Panel(None, tuple(_with_gaps(shown, timed))),), (*remarks, *thinned), timed)


def moment(value: Any) -> float | None:
    """Return a day or moment, a text of one too, in seconds since 1970; None for anything else."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    return datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp() if isinstance(value, date) else None


def _by_value(chart: Chart, xs: Sequence[Any]) -> Lines:
    lines: Lines = {}
    by, values = cells(chart, str(chart.hint.by)), map(number, cells(chart, chart.hint.y[0]))
    for name, x, value in zip(map(label, by), xs, values, strict=True):
        line = lines.setdefault(name, {})
        line[x] = sum_of((line.get(x), value)) if makes_sum(chart.hint) else value
    return lines


def _fewer(lines: Lines, most: int, sums: bool) -> tuple[Lines, list[str]]:
    """Return so many lines at most: those that end highest, the others added up, or told of."""
    if len(lines) <= most:
        return lines, []
    names = sorted(lines, key=lambda name: (name != NO_VALUE, -_last(lines[name])))
    kept, left = [name for name in lines if name in names[: most - 1]], names[most - 1 :]
    shown, words = {name: lines[name] for name in kept}, f"{len(left):,} others"
    if not sums:
        return shown, [f"{words} are in the table only."]
    xs = dict.fromkeys(x for name in left for x in lines[name])
    return {**shown, words: {x: sum_of(lines[name].get(x) for name in left) for x in xs}}, []


def _last(line: dict[Any, float | None]) -> float:
    return next((value for value in reversed(line.values()) if value is not None), 0.0)


def _points(lines: Lines, places: dict[Any, float | None]) -> Iterator[Category]:
    dated = sorted((at, x) for x, at in places.items() if at is not None)
    for at, x in dated:
        yield Category(value_text(_dated(x)), _numbers(lines, x), at=at)


def _numbered(lines: Lines, xs: Sequence[Any]) -> Iterator[Category]:
    for place, x in enumerate(xs):
        yield Category(label(x), _numbers(lines, x), at=float(place))


def _dated(x: Any) -> Any:
    return datetime.fromisoformat(x) if isinstance(x, str) else x


def _numbers(lines: Lines, x: Any) -> Numbers:
    return tuple(line.get(x) for line in lines.values())


def _thinned(points: list[Category]) -> tuple[list[Category], tuple[str, ...]]:
    if len(points) <= MOST_POINTS:
        return points, ()
    each = -(-len(points) // MOST_POINTS)
    shown = points[::-each][::-1]
    return shown, (f"Of {len(points):,} points one in {each} is drawn.",)


def _with_gaps(points: Sequence[Category], timed: bool) -> Iterator[Category]:
    """Put a point without numbers where points are missing, so that nothing is drawn across."""
    if not points:
        return
    steps = [other.at - one.at for one, other in pairwise(points)]
    usual = median(steps) if timed and len(steps) > 1 else None
    for one, step in zip(points, [*steps, 0.0], strict=True):
        yield one
        if usual is not None and step > GAP * usual:
            yield Category("", tuple(None for _ in one.values), "gap", at=one.at + step / 2)
