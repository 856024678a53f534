"""The counting rule: what the provider lists counts, and how a named query leaves some of it out.

Removed and missing devices and archived people are in every answer. A query whose header says what it counts,

::

    -- counts: devices
    -- counts: devices and people

takes ``with_removed``, and where it counts people ``with_archived``: both are true unless they are given. Its statement
knows nothing of them. Where one is false, the tables that it reads are narrowed before it, under their own names, so
that every count and every join sees the same devices.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from kandji_queries.catalog.params import Param
from kandji_queries.lineage import tree
from kandji_queries.results.data_notes import COUNTED
from kandji_schema.errors import UsageError
from kandji_schema.sql import fold_name, identifier, literal, plain_blanks

if TYPE_CHECKING:
    from kandji_queries.results.result import StatementRunner

DEVICES, PEOPLE = "devices", "people"

WITH_REMOVED = Param("with_removed", "bool", "Whether devices marked removed count.", default=True, required=False)
WITH_ARCHIVED = Param(
    "with_archived", "bool", "Whether archived people count, and their devices.", default=True, required=False
)
PARAMS: Mapping[str, Param] = MappingProxyType({DEVICES: WITH_REMOVED, PEOPLE: WITH_ARCHIVED})
"""The parameter that comes with each thing that is counted."""

ALL: Mapping[str, object] = MappingProxyType({param.name: True for param in PARAMS.values()})
"""Everything counts."""

OF_DEVICES = (
    r"devices|fleet|os_currency|compliance|compliance_devices|apps|threats|behavioral_detections|vulnerability_detections"
    r"|lost_mode|contradictions|device_(?!models\b)\w+|prism_\w+"
)
"""The tables and views whose rows belong to the device in their ``device_id``; ``device_models`` is no such table."""

_NARROWED = re.compile(rf"{OF_DEVICES}|users")

_FEEDS = {"os_releases", "os_release_cves", "device_models", "known_exploited_vulnerabilities"}

_LOOKED_UP = frozenset({"blueprints", "tags", "users", "freshness", "history", *_FEEDS})
"""Tables and views in which names and states are looked up; no row of theirs is counted."""

_REMOVED = "d.is_removed"
_ARCHIVED = "coalesce(u.archived, d.user_is_archived)"


def counted_in(words: str) -> tuple[str, ...]:
    """Read what a header says is counted; :class:`ValueError` for anything else."""
    found = [word.strip() for word in re.split(r",|\band\b", words)]
    if not found or any(word not in PARAMS for word in found):
        raise ValueError(f"what is counted is {' or '.join(PARAMS)}, not {words!r}")
    return tuple(found)


def narrowed(sql: str, values: Mapping[str, object], *, ours: bool = True, blueprint: str = "") -> str:
    """Return the statement over the devices and people that count by these values; the same one where all do.

    One of ``ours`` names ``main.devices`` where it means all of them; :class:`UsageError` for anyone else's. Only
    devices of a ``blueprint`` of that name count where one is named.
    """
    reasons = [why for name, why in (("with_removed", _REMOVED), ("with_archived", _ARCHIVED)) if not values[name]]
    if not reasons and not blueprint:
        return sql
    read = _read(sql, ours)
    if not read.tables and not ours:
        raise _not_narrowed("it reads no table of devices or people, so that `counts` is not for it")
    parts = ",\n".join(_parts(read, reasons, blueprint))
    if not parts:
        return sql
    return f"{sql[: read.begins]}{parts},\n{sql[read.begins :]}" if read.begins else f"WITH {parts}\n{sql}"


def of_whole_tenant(sql: str) -> list[str]:
    """Return the tables and views that a statement of ours reads and that :func:`narrowed` leaves as they are."""
    read = _read(sql, True)
    return sorted(read.others - _LOOKED_UP)


@dataclass(frozen=True)
class _Read:
    """What a statement reads: tables that are narrowed, others, its CTEs, and where the first CTE begins; 0 without."""

    tables: frozenset[str]
    others: frozenset[str]
    ctes: frozenset[str]
    begins: int

    def free_name(self, name: str) -> str:
        while name in self.ctes | self.tables | self.others:
            name += "_"
        return name


def _read(sql: str, ours: bool) -> _Read:
    """Read the syntax tree of a statement; :class:`UsageError` where what it reads cannot be narrowed."""
    from kandji_queries.guard import sql_ast  # only what is narrowed needs it, and the engine with it
    from kandji_schema.database import connect

    sql = plain_blanks(sql)
    with connect() as parser:
        root = sql_ast.parse(sql, parser.cursor).node
    if root is None:
        raise _not_narrowed("it is no plain SELECT")
    nodes = [*tree.below(root)]
    ctes = frozenset(name for node in nodes for name, _ in tree.ctes(node))
    named = {tree.table_name(node): node for node in nodes if tree.kind(node) == "BASE_TABLE"}
    tables = frozenset(filter(_NARROWED.fullmatch, named))
    if hidden := sorted(ctes & tables):
        raise _not_narrowed(f"a CTE of it is called as tables of devices are, {hidden[0]}; give it another name")
    paths = () if ours else (node["qualified_name"]["path"] for node in nodes if tree.kind(node) == "BASE_TABLE")
    if full := next((path for path in paths if len(path) > 1 and _NARROWED.fullmatch(fold_name(path[-1]))), None):
        raise _not_narrowed(f"it names {'.'.join(full)}; write {full[-1]}")
    if call := next((name for name in tree.functions_in(root) if name.endswith(("_as_of", "changes_between"))), None):
        raise _not_narrowed(f"it calls {call}(), which has all devices")
    words = [token for token in sql_ast.tokens(sql) if token.word]
    first = 2 if [token.word for token in words[:2]] == ["with", "recursive"] else 1
    begins = len(sql.encode()[: words[first].begin].decode()) if words[0].word == "with" else 0
    return _Read(tables, frozenset(named) - tables - ctes, ctes, begins)


def _not_narrowed(why: str) -> UsageError:
    return UsageError(f"with_removed=false and with_archived=false cannot be applied to this query: {why}.")


LISTED = "SELECT count(*), count(*) FILTER (WHERE is_removed), count(*) FILTER (WHERE is_missing) FROM devices"


def notes(reader: "StatementRunner", sql: str, *, removed_count: bool, blueprint: str = "") -> Iterator[str]:
    """Say of counts of devices, by a statement that does not tell the removed ones, which devices are in them."""
    if "is_removed" in sql:
        return
    listed = narrowed(LISTED, ALL, blueprint=blueprint)
    ((devices, removed, missing),) = reader.run(listed).rows
    marks = [f"{removed:,} removed" if removed_count and removed else "", f"{missing:,} missing" if missing else ""]
    if any(marks):
        counting = devices if removed_count else devices - removed
        yield f"{COUNTED} {counting:,} listed devices, of which {', '.join(filter(None, marks))}."


def _parts(read: _Read, reasons: list[str], blueprint: str) -> Iterator[str]:
    """Yield the devices that do not count, those of the blueprint, and each table as far as it is about who counts."""
    not_counted, counted = read.free_name("not_counted"), read.free_name("counted")
    joins = ""
    people = "LEFT JOIN main.users AS u ON u.id = d.user_id " if _ARCHIVED in reasons else ""
    if reasons:
        yield f"{not_counted} AS (SELECT d.device_id FROM main.devices AS d {people}WHERE {' OR '.join(reasons)})"
        joins += f" ANTI JOIN {not_counted} USING (device_id)"
    if blueprint and read.tables - {"users"}:
        yield f"{counted} AS (SELECT device_id FROM main.devices WHERE blueprint_name = {literal(blueprint)})"
        joins += f" SEMI JOIN {counted} USING (device_id)"
    for table in sorted(read.tables):
        if table != "users":
            yield f"{table} AS (FROM main.{identifier(table)}{joins})"
        elif _ARCHIVED in reasons:
            yield "users AS (FROM main.users WHERE NOT coalesce(archived, false))"
