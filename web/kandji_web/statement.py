"""A statement as it came from the console: what is to be done with it, its parameters, and how it is drawn."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from kandji_queries.catalog.params import LONGEST_TEXT, parameters_in, read_cli_value
from kandji_queries.charts.hint import KINDS, MOST_Y, ChartHint, Kind
from kandji_schema.errors import UsageError

LONGEST = 200_000
"""Most bytes of a statement that are taken; the guard takes fewer."""

MOST_PARAMS = 40
"""Most ``$name`` parameters that get a field."""

ROWS = (100, 500, 2_000)
"""Rows that a page may show; the second is usual."""

PARAM = "p."
"""What the names of fields of parameters begin with."""

EXPLAIN = "EXPLAIN\n"


@dataclass(frozen=True)
class ChartChoice:
    """How an answer is to be drawn, by names of columns; ``kind`` is empty for not at all."""

    kind: str = ""
    x: str = ""
    y: tuple[str, ...] = ()
    by: str = ""

    def hint(self, columns: Sequence[str]) -> ChartHint:
        """Return the hint for an answer with these columns; :class:`UsageError` for what cannot be drawn."""
        if self.kind not in KINDS:
            raise UsageError(f"A chart is {', '.join(KINDS)}, not {self.kind[:40]!r}.")
        if not self.x or not self.y:
            raise UsageError("Choose what is along the chart, and at least one column of numbers.")
        if lacking := [name for name in (self.x, *self.y, self.by) if name and name not in columns]:
            raise UsageError(f"The answer has no column {lacking[0][:80]!r} any more. Choose another.")
        if len(self.y) > MOST_Y:
            raise UsageError(f"{len(self.y)} columns of numbers cannot be told apart; choose {MOST_Y} at most.")
        if self.kind == "heat":
            if not self.by:
                raise UsageError("A heat map has two columns of names: choose what it is split by.")
            return ChartHint(kind="heat", x=self.x, y=(self.by,), value=self.y[0])
        one = self.kind == "bar" or (self.kind == "line" and self.by)
        kind = cast(Kind, self.kind)
        return ChartHint(kind=kind, x=self.x, y=self.y[:1] if one else self.y, by=self.by or None)


@dataclass(frozen=True)
class Statement:
    """What was sent: ``do`` is run, explain, csv or json; ``params`` are texts by name, ``rows`` how many are shown."""

    sql: str = ""
    do: str = "run"
    params: Mapping[str, str] = field(default_factory=dict)
    rows: int = ROWS[1]
    chart: ChartChoice = ChartChoice()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its parameters, no more than get a field."""
        return parameters_in(self.sql)[:MOST_PARAMS]

    @property
    def lacking(self) -> tuple[str, ...]:
        """The parameters that have no value yet."""
        return tuple(name for name in self.names if not self.params.get(name))

    @property
    def explains(self) -> bool:
        """Whether it is sent as EXPLAIN and was not written so."""
        return self.do == "explain" and not self.sql.lstrip().lower().startswith("explain")

    @property
    def whole(self) -> str:
        """The statement that is run."""
        return f"{EXPLAIN}{self.sql}" if self.explains else self.sql

    def refuse_too_long(self) -> None:
        """:class:`UsageError` for a statement, its parameters or a value of them that are too long."""
        size = len(self.sql.encode("utf-8", "replace"))
        if size > LONGEST:
            raise UsageError(f"The statement has {size:,} bytes; {LONGEST:,} are taken at most.")
        if (number := len(parameters_in(self.sql))) > MOST_PARAMS:
            raise UsageError(f"The statement has {number:,} parameters; {MOST_PARAMS} at most get a field.")
        for name, value in self.params.items():
            if len(value) > LONGEST_TEXT:
                raise UsageError(f"The value of ${name} has {len(value):,} characters; {LONGEST_TEXT:,} at most.")

    def values(self) -> dict[str, Any]:
        """Return the values of its parameters, read as a command line reads them."""
        return {name: read_cli_value(self.params[name]) for name in self.names if self.params.get(name)}


def read_statement(sent: Mapping[str, Sequence[str]]) -> Statement:
    """Return the statement of a form or a link; what it does not know is left aside."""

    def first(name: str) -> str:
        return next(iter(sent.get(name, ())), "")

    rows = first("rows")
    return Statement(
        sql=first("sql"),
        do=first("do") if first("do") in {"explain", "csv", "json"} else "run",
        params=dict(_params(sent)),
        rows=int(rows) if rows in map(str, ROWS) else ROWS[1],
        chart=ChartChoice(
            first("chart"), first("x"), tuple(dict.fromkeys(filter(None, sent.get("y", ())))), first("by")
        ),
    )


def _params(sent: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    for name, values in sent.items():
        if name.startswith(PARAM) and values:
            yield name.removeprefix(PARAM), values[0]
