"""What is drawn of an answer, whoever draws it: categories, parts and their numbers, added up and bounded.

Nothing goes without being told. Rows without a value are drawn as "unknown"; categories beyond the most that fit are
added up as one, "12 others", and where numbers make no sum (percent, days) the range of them is told there. Days
between the rows of a line that have none are a gap.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Literal

from kandji_queries.charts.chart import Chart
from kandji_queries.charts.colours import OTHERS
from kandji_queries.charts.hint import ChartHint
from kandji_queries.charts.number_text import NOT_ADDED, PERCENT, number_text
from kandji_queries.results.values import for_eyes
from kandji_schema.text import escaped

Sort = Literal["known", "unknown", "others", "gap"]
Numbers = tuple[float | None, ...]

NO_VALUE = "unknown"

ROUNDING = 1e-9

BEYOND = 2.0
"""How many times the largest bar the others together may be and still have a bar to scale."""

_UNKNOWN = frozenset({"", NO_VALUE, "not known"})


@dataclass(frozen=True)
class Series:
    """A part, a line, or a column of a heat map; ``colour`` is a name of :mod:`kandji_queries.charts.colours`."""

    label: str
    colour: str


@dataclass(frozen=True)
class Category:
    """A bar, a row of a heat map, or a point in time, with a number for each series; None where it is not known.

    ``colour`` is that of a word that means something by itself. ``note`` stands where numbers cannot. ``at`` is the
    place of a point, in seconds or as its number.
    """

    label: str
    values: Numbers
    sort: Sort = "known"
    colour: str | None = None
    note: str = ""
    at: float = 0.0

    @property
    def total(self) -> float:
        """The sum of what is known."""
        return sum(value for value in self.values if value is not None)


@dataclass(frozen=True)
class Panel:
    """One small chart, or the only one, which has no label."""

    label: str | None
    categories: tuple[Category, ...]


@dataclass(frozen=True)
class Plot:
    """All that is drawn. ``remarks`` tell what is not seen in the picture and stands in the table.

    ``timed`` says that the points of lines are dates.
    """

    hint: ChartHint
    series: tuple[Series, ...]
    panels: tuple[Panel, ...]
    remarks: tuple[str, ...] = ()
    timed: bool = False

    @property
    def limits(self) -> tuple[float, float]:
        """The ends of the axis of numbers: zero is between them, percent goes to 100, all zero to 1."""
        return self._limits(self.panels)

    def limits_in(self, panel: Panel) -> tuple[float, float]:
        """Return the ends of a small chart's axis: its own where bars show parts, else that of all."""
        return self._limits([panel]) if self._has_own_axes else self.limits

    def drawn(self, category: Category, panel: Panel) -> float:
        """Return what part of its length a bar has in the picture: less than 1 where it is longer than that.

        All others together may be many times what each of the rest is.
        """
        high, end = self.limits_in(panel)[1], self._ends(category)[1]
        return high / end if end > high * (1 + ROUNDING) else 1.0

    @property
    def told(self) -> tuple[str, ...]:
        """What stands below the picture: the remarks, and what is not to scale."""
        cut = [c for panel in self.panels for c in panel.categories if self.drawn(c, panel) < 1]
        return (
            *self.remarks,
            *([f"The bar of the {cut[0].label} is not to scale."] if cut else []),
            *(["Each of the small charts has a scale of its own."] if self._has_own_axes else []),
        )

    @property
    def _has_own_axes(self) -> bool:
        return len(self.panels) > 1 and len(self.series) > 1 and self.hint.kind == "stacked"

    def _limits(self, panels: Sequence[Panel]) -> tuple[float, float]:
        low = min([0.0, *(self._ends(c)[0] for panel in panels for c in panel.categories)])
        high = max([0.0, *(self._ends(c)[1] for panel in panels for c in panel.categories if c.sort != "others")])
        others = [self._ends(c)[1] for panel in panels for c in panel.categories if c.sort == "others"]
        high = max([high, *(end for end in others if end <= BEYOND * high or not high)])
        if self.hint.unit == PERCENT and low >= 0 and high <= 100.05:
            return 0.0, 100.0
        return (low, high) if low < high else (0.0, 1.0)

    def _ends(self, category: Category) -> tuple[float, float]:
        known = [value for value in category.values if value is not None]
        if self.hint.kind == "stacked":
            return sum(value for value in known if value < 0), sum(value for value in known if value > 0)
        return min(known, default=0.0), max(known, default=0.0)


def cells(chart: Chart, column: str) -> list[Any]:
    """Return a column of the answer."""
    place = chart.columns.index(column)
    return [row[place] for row in chart.rows]


def is_unknown(value: Any) -> bool:
    """Tell whether a cell says that something is not known."""
    return value is None or (isinstance(value, str) and value.strip().casefold() in _UNKNOWN)


def label(value: Any) -> str:
    """Return what a category is called, on one line, with what nobody sees made visible; numbers as they are."""
    if is_unknown(value):
        return NO_VALUE
    if isinstance(value, bool):
        return "yes" if value else "no"
    return escaped(" ".join(for_eyes(value).split(" "))).strip() or NO_VALUE


def sum_of(values: Iterable[float | None]) -> float | None:
    """Add up what is known; None where nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def added(one: Numbers, other: Numbers) -> Numbers:
    """Add numbers place by place; None where neither is known."""
    return tuple(map(sum_of, zip(one, other, strict=True)))


def makes_sum(hint: ChartHint) -> bool:
    """Tell whether numbers of the hint's unit can be added up."""
    return hint.unit not in NOT_ADDED


def ordered(categories: Sequence[Category], hint: ChartHint) -> list[Category]:
    """Return the categories in the order of the hint: as they came, or the largest first and what is unknown last."""
    if hint.order == "rows":
        return list(categories)
    return sorted(categories, key=lambda c: (c.sort != "known", -c.total))


def bounded(categories: Sequence[Category], most: int, hint: ChartHint) -> list[Category]:
    """Return at most so many categories, one for all others and what is unknown.

    Where numbers make a sum the largest stay, else the first.
    """
    known = [c for c in categories if c.sort == "known"]
    if len(known) <= most + 1:  # one alone is drawn as itself
        return list(categories)
    kept = sorted(known, key=lambda c: -c.total)[:most] if makes_sum(hint) else known[:most]
    names = {id(c) for c in kept}
    left = [c for c in known if id(c) not in names]
    stay = [c for c in categories if id(c) in names or c.sort != "known"]
    return [*stay, _others(left, hint)]


def _others(left: Sequence[Category], hint: ChartHint) -> Category:
    words = f"{len(left):,} others"
    if makes_sum(hint):
        return Category(words, reduce(added, (c.values for c in left)), "others", OTHERS)
    found = [value for c in left for value in c.values if value is not None]
    empty: Numbers = tuple(None for _ in left[0].values)
    if not found:
        return Category(words, empty, "others", OTHERS, NO_VALUE)
    ends = dict.fromkeys(number_text(value, hint.unit) for value in (min(found), max(found)))
    return Category(words, empty, "others", OTHERS, " to ".join(ends))


def category_text(category: Category, plot: Plot) -> str:
    """Return what stands at the end of a bar: its number, what all its parts are together, or why there is none."""
    if category.note:
        return category.note
    if all(value is None for value in category.values):
        return NO_VALUE
    return number_text(category.total, plot.hint.unit)
