"""Where a cell leads: a device to its page, an identifier to the row that has it, a name to where its identifier does.

What is meant by an identifier is told by the ``references`` of the declared columns alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from kandji_queries.browse.relation import Field, Relation
from kandji_queries.browse.view import View
from kandji_schema.registry import joins

DEVICE = "devices.device_id"

_NAMES_OF_A_DEVICE = ("device_name", "serial_number")

_NAMING = ("_name", "_email")
"""Endings of columns that name what the column with ``_id`` in their place identifies."""

_SHARED = {"bundle_id": "apps", "rule": "compliance", "cve_id": "vulnerabilities", "tag": "tags"}
"""Columns that no row alone has, with the table or view of all rows that have the same value."""


@dataclass(frozen=True)
class Lead:
    """The rows of ``table`` whose ``column`` has a ``value``; of ``devices.device_id`` the page of that device."""

    table: str
    column: str
    value: str

    @property
    def is_device(self) -> bool:
        """Whether it is one device."""
        return f"{self.table}.{self.column}" == DEVICE


def companions(view: View) -> list[str]:
    """Return the columns that are needed besides those that are shown to know where these lead."""
    shown = {found.name for found in view.shown}
    wanted = (_identifier_of(view.relation, found.name) for found in view.shown)
    return [*dict.fromkeys(name for name in wanted if name is not None and name not in shown)]


def lead(relation: Relation, found: Field, row: Mapping[str, object]) -> Lead | None:
    """Return where a cell of ``row`` leads; None where it is empty or leads nowhere."""
    if row[found.name] is None:
        return None
    identified = _identifier_of(relation, found.name)
    if identified is not None:
        value = row.get(identified)
        target = _targets(relation.name, tuple(relation.fields)).get(identified)
        return Lead(*target, str(value)) if target and value is not None else None
    if found.name == "table_name" and relation.is_view:
        return Lead(str(row[found.name]), "", "")
    table = _SHARED.get(found.name)
    is_other = table is not None and (table != relation.name or found.name in {"bundle_id", "rule"})
    return Lead(str(table), _column(str(table), found.name), str(row[found.name])) if is_other else None


def _column(table: str, column: str) -> str:
    return "name" if table == "tags" else column


def _identifier_of(relation: Relation, column: str) -> str | None:
    """Return the column of the same row that identifies what a column names, itself where it is an identifier."""
    targets = _targets(relation.name, tuple(relation.fields))
    if column in targets:
        return column
    if column in _NAMES_OF_A_DEVICE and "device_id" in relation.fields:
        return "device_id"
    if relation.name in {"blueprints", "users"} and column in {"name", "email"}:
        return "id"
    ends = (f"{column.removesuffix(ending)}_id" for ending in _NAMING if column.endswith(ending))
    return next((name for name in ends if name in targets), None)


@cache
def _targets(table: str, columns: tuple[str, ...]) -> dict[str, tuple[str, str]]:
    """Return by column the table and column that it leads to: what it refers to, or of its own key who refers to it."""
    found: dict[str, tuple[str, str]] = {}
    for column, others in joins(table, columns).items():
        there, _, name = others[0].partition(".")
        found[column] = (there, name)
    if "device_id" in columns:
        found["device_id"] = ("devices", "device_id")
    return found
