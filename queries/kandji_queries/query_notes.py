"""What is to be known of the answer of a named query besides what its columns tell."""

from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import TYPE_CHECKING

from kandji_queries.catalog import counting, device_lookup, empty_answers, left_out
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


def empty_notes(
    reader: "StatementRunner", query: "NamedQuery", values: Mapping[str, object], given: Mapping[str, object]
) -> list[str]:
    """Return what is said where it has no rows: what there is of the thing asked for, else how far off others are."""
    try:
        told = [*empty_answers.empty_notes(reader, query, values)]
        return [*told, *left_out.nearest_notes(reader, query, given, alone=not told)]
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
        *_without(reader, query),
        *empty_answers.lacking_notes(reader, query, values),
        *left_out.beyond_notes(reader, query, given),
        *((*_split(query, found), *_ties(query, found)) if found else ()),
        *(counting.notes(reader, query.sql, blueprint=query.blueprint, **removed) if removed else ()),
        *period.query_notes(reader, query, values),
        *device_lookup.query_notes(reader, query, values, found),
    ]


def _without(reader: "StatementRunner", query: "NamedQuery") -> Iterator[str]:
    """Say that what it asks about is not there at all."""
    if query.without:
        rows, sentence = query.without
        if not reader.run(f"SELECT 1 {rows} LIMIT 1").rows:
            yield sentence


def _split(query: "NamedQuery", found: "Result") -> list[str]:
    """Tell its rows apart by the columns that it names for that; not where some are missing."""
    splits = [Split.of(found.columns, column, unknown) for column, unknown in query.tells.items()]
    for split in splits:
        split.add(found.rows)
    return [] if found.truncated else [note for split in splits for note in split.notes()]


def _ties(query: "NamedQuery", found: "Result") -> Iterator[str]:
    """Tell that several rows lead, which is not seen where only the first is asked for."""
    names = [column.name for column in found.columns]
    if query.ranks not in names or not found.rows:
        return
    most, place = found.rows[0][names.index(query.ranks)], names.index(query.ranks)
    tied = sum(1 for _ in takewhile(lambda row: row[place] == most, found.rows))
    if tied > 1 and most:
        yield f"The first {tied:,} rows have {query.ranks} {most} alike: none of them leads."
