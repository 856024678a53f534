"""What is to be known of the answer of a named query besides what its columns tell."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from kandji_queries.catalog import counting, device_lookup
from kandji_queries.catalog.empty_answers import lacking_notes
from kandji_queries.history import period
from kandji_queries.results.split import Split
from kandji_schema.errors import Failed, NotFresh, TookTooLong

if TYPE_CHECKING:
    from kandji_queries.catalog.queries import NamedQuery
    from kandji_queries.results.result import Result, StatementRunner


def query_notes(
    reader: "StatementRunner",
    query: "NamedQuery",
    values: Mapping[str, object],
    given: Mapping[str, object],
    found: "Result | None" = None,
) -> list[str]:
    """Return what it leaves out, how far back it knows, and which device it is about.

    ``values`` are all its parameters, ``given`` those that were given, ``found`` its answer where that is there. A
    note that cannot be made takes no answer away: that is said instead.
    """
    try:
        return _notes(reader, query, values, given, found)
    except (TookTooLong, NotFresh, Failed) as error:
        return [f"What else is to be known of this answer could not be found out: {error}"]


def _notes(
    reader: "StatementRunner",
    query: "NamedQuery",
    values: Mapping[str, object],
    given: Mapping[str, object],
    found: "Result | None",
) -> list[str]:
    counts = query.counting(given)
    removed = {"removed_count": counts["with_removed"]} if "with_removed" in counts else None
    return [
        *lacking_notes(reader, query, values),
        *(_split(query, found) if found else ()),
        *(counting.notes(reader, query.sql, blueprint=query.blueprint, **removed) if removed else ()),
        *period.query_notes(reader, query, values),
        *device_lookup.query_notes(reader, query, values, found),
    ]


def _split(query: "NamedQuery", found: "Result") -> list[str]:
    """Tell its rows apart by the column that it names for that; not where some are missing."""
    split = Split.of(found.columns, query.tells)
    split.add(found.rows)
    return [] if found.truncated else list(split.notes())
