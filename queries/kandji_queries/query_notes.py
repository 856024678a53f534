"""What is to be known of the answer of a named query besides what its columns tell."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from kandji_queries.catalog import counting, device_lookup
from kandji_queries.history import period

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

    ``values`` are all its parameters, ``given`` those that were given, ``found`` its answer where that is there.
    """
    counts = query.counting(given)
    removed = {"removed_count": counts["with_removed"]} if "with_removed" in counts else None
    return [
        *(counting.notes(reader, query.sql, **removed) if removed else ()),
        *period.query_notes(reader, query, values),
        *device_lookup.query_notes(reader, query, values, found),
    ]
