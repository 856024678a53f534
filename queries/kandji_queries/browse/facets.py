"""Facets: how often each value of a column is there among the rows of a view, unknown too. Never approximate.

The values of a column are counted among the rows that all *other* conditions leave, so that one can go from one value
to another. A few columns are counted unasked where that costs little: those by which people divide a fleet.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from kandji_queries.as_of import history_views
from kandji_queries.browse.conditions import IS, ROWS, UNKNOWN, Condition, column_of
from kandji_queries.browse.relation import Field, Values
from kandji_queries.browse.statements import Statement, flagged, is_stored, source_of
from kandji_queries.browse.view import View, can_be_counted
from kandji_queries.results.result import Row
from kandji_schema.sql import literal

FEW, MANY = 8, 200
"""Values that are told of a column, and where more were asked for."""

UNASKED = 4
"""Most columns that are counted unasked."""

SMALL_TABLE = 25_000
"""Rows of a table up to which columns are counted unasked."""

SMALL_FLEET = 2_000
"""Devices up to which columns of a view are: it is made anew for that."""

DIVIDING = (
    *("result", "rule", "severity", "change", "thing", "table_name", "state", "status", "platform", "device_family"),
    *("blueprint_name", "os_version", "tags", "classification", "is_compliant", "type", "category", "action_type"),
    *("kev_score", "service", "is_missing", "is_removed", "filevault_on", "active", "is_archived", "department"),
)
"""Columns that people divide rows by, the most telling first; of others those that are true or false."""


@dataclass(frozen=True)
class Counted:
    """How many ``rows`` have a value; ``text`` None is unknown. ``condition`` finds them."""

    text: str | None
    rows: int
    condition: Condition
    is_chosen: bool


@dataclass(frozen=True)
class Facet:
    """One column with its frequent values; ``kinds`` is how many there are, unknown counted as one."""

    field: Field
    counted: tuple[Counted, ...]
    kinds: int
    rows: int

    @property
    def divides(self) -> bool:
        """Whether there is more than one value, or one was chosen."""
        return self.kinds > 1 or any(counted.is_chosen for counted in self.counted)

    @property
    def left(self) -> int:
        """How many values are not told."""
        return max(self.kinds - len(self.counted), 0)

    @property
    def rows_left(self) -> int:
        """How many rows have one of those; 0 for lists, whose values overlap."""
        if self.field.values is Values.TEXTS:
            return 0
        return max(self.rows - sum(counted.rows for counted in self.counted), 0)


def counted_fields(view: View) -> tuple[Field, ...]:
    """Return the columns that are counted: those that were asked for first, then the ones that are unasked."""
    fields = view.relation.fields
    asked = [fields[name] for name in view.facets]
    unasked = [found for found in dividing_fields(view)[:UNASKED] if found not in asked] if _costs_little(view) else []
    return (*asked, *unasked)


def dividing_fields(view: View) -> list[Field]:
    """Return the columns of a relation that suit, the most telling first."""
    fields = view.relation.fields
    named = [fields[name] for name in DIVIDING if name in fields and can_be_counted(fields[name])]
    return [*named, *(f for f in fields.values() if f.values is Values.BOOLEAN and f not in named)]


def _costs_little(view: View) -> bool:
    if view.relation.name in history_views():
        return False
    if view.relation.is_view or view.as_of:
        return view.relation.devices <= SMALL_FLEET
    return (view.relation.info.rows or 0) <= SMALL_TABLE


def statement(view: View, fields: Sequence[Field], now: datetime) -> Statement:
    """Return the statement that counts all rows of a view and the values of some columns in one go.

    Its rows are ``which`` (-1 for the number of rows, -2 for those that are flagged by the column ``value``, else the
    place of a column), ``value`` as text, ``n`` and how many ``kinds`` of values there are. A column that has a
    condition is left to one of its own, see :func:`alone`.
    """
    source = source_of(view, now)
    shown, before = source.sql, ""
    if fields and not (is_stored(view) and not view.conditions):  # else each part would make or filter it anew
        names = dict.fromkeys((*(found.name for found in fields), *view.relation.flags))
        columns = ", ".join(map(column_of, names))
        shown, before = f"FROM shown AS {ROWS}", f"WITH shown AS MATERIALIZED (SELECT {columns} {source.sql}) "
    parts = [f"SELECT -1 AS which, NULL::VARCHAR AS value, count(*) AS n {shown}"]
    parts.extend(f"SELECT -2, {literal(name)}, {flagged(name)} {shown}" for name in view.relation.flags)
    parts.extend(_grouped(place, found, shown) for place, found in enumerate(fields))
    return Statement(f"{before}{_frequent(view, fields, parts)}", source.params)


def alone(view: View, found: Field, now: datetime) -> Statement:
    """Return the same of one column, among the rows that the conditions of others leave."""
    source = source_of(view, now, without=found.name)
    return Statement(_frequent(view, [found], [_grouped(0, found, source.sql)]), source.params)


def is_alone(view: View, found: Field) -> bool:
    """Tell whether a column has conditions of its own."""
    return any(condition.field == found for condition in view.conditions)


def facet(view: View, found: Field, rows: Iterable[Row]) -> Facet:
    """Make the facet of a column of the rows of its statement: ``value``, ``n``, ``kinds`` and the number of rows."""
    known = [*rows]
    chosen = {text for c in view.conditions if c.field == found and c.operator == IS for text in c.texts}
    unknown = view.condition(found.name, UNKNOWN)
    counted = [
        Counted(value, n, Condition(found, IS, (value,)), value in chosen)
        if value is not None
        else Counted(None, n, Condition(found, UNKNOWN), unknown is not None)
        for value, n, *_ in known
    ]
    counted.sort(key=lambda one: one.text is None)
    kinds, total = (known[0][2], known[0][3]) if known else (0, 0)
    return Facet(found, tuple(counted), kinds, total)


def toggled(view: View, counted: Counted) -> View:
    """Return the view with a value chosen or, where it is, not: values of one column are chosen beside each other.

    Unknown and known values are not: to choose one ends the other.
    """
    name = counted.condition.field.name
    others = [c for c in view.conditions if c.field.name != name or c.operator not in {IS, UNKNOWN}]
    before = view.condition(name, IS)
    if counted.text is None:
        texts: tuple[str, ...] = ()
    elif counted.is_chosen:
        texts = tuple(text for text in before.texts if text != counted.text) if before else ()
    else:
        texts = (*(before.texts if before else ()), counted.text)
    chosen = [Condition(counted.condition.field, IS, texts)] if texts else []
    if counted.text is None and not counted.is_chosen:
        chosen = [counted.condition]
    return view.with_conditions([*others, *chosen])


def _grouped(place: int, found: Field, shown: str) -> str:
    column = column_of(found.name)
    if found.values is Values.TEXTS:
        listed = f"SELECT unnest(CASE WHEN length({column}) > 0 THEN {column} ELSE [NULL] END) AS part {shown}"
        return f"SELECT {place}, part, count(*) FROM ({listed}) GROUP BY part"
    value = f"{column}::DATE" if found.values is Values.MOMENT else column
    return f"SELECT {place}, value::VARCHAR, n FROM (SELECT {value} AS value, count(*) AS n {shown} GROUP BY value)"


def _frequent(view: View, fields: Sequence[Field], parts: Sequence[str]) -> str:
    """Keep the frequent values of each column, unknown first because it is never left out."""
    many = [str(place) for place, found in enumerate(fields) if found.name in view.more]
    most = f"CASE WHEN which IN ({', '.join(many)}) THEN {MANY} ELSE {FEW} END" if many else str(FEW)
    days = [str(place) for place, found in enumerate(fields) if found.values is Values.MOMENT]
    order = f"CASE WHEN which IN ({', '.join(days)}) THEN value END DESC, " if days else ""
    within = "PARTITION BY which"
    return (
        f"SELECT which, value, n, kinds, every FROM (SELECT *, count(*) OVER ({within}) AS kinds, "
        f"sum(n) OVER ({within})::BIGINT AS every, "
        f"row_number() OVER ({within} ORDER BY value IS NULL DESC, {order}n DESC, value) AS place "
        f"FROM ({' UNION ALL '.join(parts)}) AS counted(which, value, n)) "
        f"WHERE place <= {most} ORDER BY which, place"
    )
