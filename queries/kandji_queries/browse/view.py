"""A view of a table: what is filtered, sorted, chosen, counted and which page; read from an address and written to one.

``column=value`` filters, ``column__operator=value`` too; several values of one condition mean any of them, several
conditions all of them. What begins with an underscore is about the view: ``_sort=column`` (``-column`` the greatest
first), ``_columns=a,b`` (``*`` all), ``_page``, ``_size``, ``_as_of``, ``_facet=column`` (``_more`` with all its
values). Whatever else is there is told, never passed over: a link that was kept may name what is there no more.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from kandji_queries.browse.conditions import (
    MOST_VALUES,
    Condition,
    Operator,
    clause_of,
    operators_of,
    shown,
)
from kandji_queries.browse.relation import Field, Relation, Values
from kandji_queries.times import read_moment
from kandji_schema.errors import UnknownName, UsageError
from kandji_schema.utc import naive_utc

SIZE = 50
"""Rows of a page where nobody said how many."""

MOST_ROWS = 500
"""Most rows of a page."""

MOST_CONDITIONS = 40

MOST_TYPED = 200
"""Most values of all conditions together."""

MOST_FACETS = 4
"""Most columns whose values are counted because that was asked for: each is a statement of its own."""

MOST_PROBLEMS = 20
"""What is wrong with an address that is told; to find the nearest names of hundreds takes long."""

ALL = "*"
"""What stands for all columns."""

SORT, COLUMNS, PAGE, SIZE_OF, AS_OF, FACET, MORE = (
    "_sort",
    "_columns",
    "_page",
    "_size",
    "_as_of",
    "_facet",
    "_more",
)

Pairs = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one parameter of an address, in words for whoever typed it."""

    parameter: str
    value: str
    words: str


@dataclass(frozen=True)
class View:
    """What is shown of a relation. ``sort`` None is the order of its key; ``columns`` empty are the usual ones.

    ``facets`` are columns whose values are counted because that was asked for, ``more`` those of which many are told.
    """

    relation: Relation
    conditions: tuple[Condition, ...] = ()
    sort: str | None = None
    descending: bool = False
    columns: tuple[str, ...] = ()
    page: int = 1
    size: int = SIZE
    as_of: str | None = None
    facets: tuple[str, ...] = ()
    more: frozenset[str] = field(default_factory=frozenset)

    @property
    def shown(self) -> tuple[Field, ...]:
        """The columns that are shown, in their order."""
        return tuple(self.relation.fields[name] for name in self.columns or self.relation.usual)

    def pairs(self) -> list[tuple[str, str]]:
        """Write it as the parameters of an address; :func:`read_view` reads the same view of them."""
        found = [pair for condition in self.conditions for pair in pairs_of(condition)]
        every = self.columns == tuple(self.relation.fields)
        about = {
            AS_OF: self.as_of,
            SORT: self.sort and f"{'-' if self.descending else ''}{self.sort}",
            COLUMNS: ALL if every else ",".join(self.columns),
            SIZE_OF: str(self.size) if self.size != SIZE else "",
            PAGE: str(self.page) if self.page != 1 else "",
        }
        found.extend((name, text) for name, text in about.items() if text)
        found.extend((FACET, name) for name in self.facets)
        found.extend((MORE, name) for name in sorted(self.more))
        return found

    def on_page(self, page: int) -> "View":
        """Return the same on another page."""
        return replace(self, page=page)

    def sorted_by(self, name: str, *, descending: bool) -> "View":
        """Return the same, sorted by a column, from the first page on."""
        return replace(self, sort=name, descending=descending, page=1)

    def without(self, condition: Condition) -> "View":
        """Return the same without a condition, from the first page on."""
        return self.with_conditions(c for c in self.conditions if c != condition)

    def with_conditions(self, conditions: Iterable[Condition]) -> "View":
        """Return the same with other conditions, from the first page on."""
        return replace(self, conditions=tuple(conditions), page=1)

    def condition(self, column: str, operator: Operator) -> Condition | None:
        """Return the condition of a column with that operator, if there is one."""
        return next((c for c in self.conditions if c.field.name == column and c.operator == operator), None)


def pairs_of(condition: Condition) -> list[tuple[str, str]]:
    """Write one condition as parameters of an address."""
    code, name = condition.operator.code, condition.field.name
    return [(name if code == "is" else f"{name}__{code}", text) for text in condition.texts or ("1",)]


def read_view(relation: Relation, pairs: Pairs, now: datetime) -> tuple[View, list[Problem]]:
    """Read a view from the parameters of an address, and say what of them could not be read."""
    reading = _Reading(relation, now)
    for name, value in pairs:
        reading.take(name, value)
    return reading.view()


class _Reading:
    """Collects the parameters of one address."""

    def __init__(self, relation: Relation, now: datetime) -> None:
        self._relation = relation
        self._now = now
        self._problems: list[Problem] = []
        self._texts: dict[tuple[str, Operator], list[str]] = {}
        self._about: dict[str, str] = {}
        self._facets: list[str] = []
        self._more: list[str] = []

    def take(self, name: str, value: str) -> None:
        """Take one parameter; none any more where many are wrong."""
        if len(self._problems) >= MOST_PROBLEMS:
            return
        if name in {FACET, MORE}:
            column = self._column(name, value)
            if column and not can_be_counted(self._relation.fields[column]):
                self._wrong(name, value, f"{column} holds documents, whose values cannot be counted one by one.")
            elif column and name == FACET and len({*self._facets, column}) > MOST_FACETS:
                self._wrong(name, value, f"The values of {MOST_FACETS} columns are counted at once; close one first.")
            elif column:
                (self._facets if name == FACET else self._more).append(column)
        elif name in _ABOUT:
            self._about[name] = value
        else:
            self._take_condition(name, value)

    def view(self) -> tuple[View, list[Problem]]:
        """Return the view and what is wrong with the address."""
        sort = self._about.get(SORT, "").strip()
        view = View(
            self._relation,
            tuple(self._conditions()),
            self._column(SORT, sort.removeprefix("-")),
            sort.startswith("-"),
            self._columns(),
            self._whole(PAGE, 1, None),
            self._whole(SIZE_OF, SIZE, MOST_ROWS),
            self._as_of(),
            tuple(dict.fromkeys(self._facets)),
            frozenset(self._more),
        )
        return view, self._problems

    def _take_condition(self, name: str, value: str) -> None:
        column, separator, code = name.rpartition("__")
        column, code = (column, code) if separator and column in self._relation.fields else (name, "is")
        if column not in self._relation.fields:
            self._wrong(name, value, _unknown_parameter(self._relation, name))
            return
        operators = {operator.code: operator for operator in operators_of(self._relation.fields[column])}
        if code not in operators:
            words = f"There is no operator {shown(code)} of {column}. There are: {', '.join(operators)}."
            self._wrong(name, value, words)
            return
        self._texts.setdefault((column, operators[code]), []).append(value)

    def _conditions(self) -> Iterator[Condition]:
        for (column, operator), texts in [*self._texts.items()][:MOST_CONDITIONS]:
            found = self._relation.fields[column]
            texts = [*dict.fromkeys(texts)]
            groups = [texts] if operator.several else [[text] for text in texts]
            for group in groups if operator.takes else [[]]:
                yield from self._condition(Condition(found, operator, tuple(group)))
        if len(self._texts) > MOST_CONDITIONS:
            self._wrong("", "", f"These are {len(self._texts)} conditions; there are at most {MOST_CONDITIONS}.")
        if (typed := sum(map(len, self._texts.values()))) > MOST_TYPED:
            self._wrong("", "", f"These are {typed:,} values; all conditions together have at most {MOST_TYPED}.")

    def _condition(self, condition: Condition) -> Iterator[Condition]:
        name = pairs_of(condition)[0][0]
        try:
            if condition.operator.takes and not all(condition.texts):
                raise UsageError(f"Type a value. To find what has none, choose {condition.field.name} is not known.")
            if len(condition.texts) > MOST_VALUES:
                raise UsageError(f"These are {len(condition.texts):,} values; one condition has at most {MOST_VALUES}.")
            clause_of(condition, 0, self._now)
        except UsageError as error:
            self._wrong(name, condition.texts[0], str(error))
        else:
            yield condition

    def _column(self, parameter: str, name: str) -> str | None:
        if not name:
            return None
        if name not in self._relation.fields:
            self._wrong(parameter, name, str(UnknownName("column", name, self._relation.fields)))
            return None
        return name

    def _columns(self) -> tuple[str, ...]:
        text = self._about.get(COLUMNS, "").strip()
        if text == ALL:
            return tuple(self._relation.fields)
        named = (self._column(COLUMNS, name.strip()) for name in text.split(",")[: len(self._relation.fields) * 2])
        return tuple(dict.fromkeys(name for name in named if name))

    def _whole(self, parameter: str, usual: int, most: int | None) -> int:
        text = self._about.get(parameter, "").strip()
        if not text:
            return usual
        number = int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else 0
        if not 1 <= number <= (most or number):
            bounds = f"from 1 to {most}" if most else "from 1 on"
            self._wrong(parameter, text, f"{shown(text)} is no whole number {bounds}.")
            return usual
        return number

    def _as_of(self) -> str | None:
        text = self._about.get(AS_OF, "").strip()
        if not text:
            return None
        if not self._relation.has_past:
            self._wrong(AS_OF, text, f"No history is kept of {self._relation.name}; it can only be shown as it is now.")
            return None
        try:
            moment = read_moment(text, self._now)
            if moment > naive_utc(self._now):
                raise UsageError(f"{shown(text)} lies in the future; how it will be then is not known.")
        except UsageError as error:
            self._wrong(AS_OF, text, str(error))
            return None
        return text

    def _wrong(self, parameter: str, value: str, words: str) -> None:
        self._problems.append(Problem(parameter, value, words))


_ABOUT = frozenset({SORT, COLUMNS, PAGE, SIZE_OF, AS_OF})


def _unknown_parameter(relation: Relation, name: str) -> str:
    if name.startswith("_"):
        return f"There is no parameter {shown(name)} of a view."
    return str(UnknownName(f"column of {relation.name}", name, relation.fields))


def can_be_counted(found: Field) -> bool:
    """Tell whether the values of a column can be counted one by one."""
    return found.values is not Values.DOCUMENT


def by_parameter(problems: Iterable[Problem]) -> Mapping[str, Problem]:
    """Return the first problem of each parameter."""
    return {problem.parameter: problem for problem in reversed([*problems])}
