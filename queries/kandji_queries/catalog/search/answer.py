"""The answer of a search: definitions and things together, what is not in the mirror, and what was looked at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from kandji_queries.catalog.dictionary import ColumnPlace, TableInfo
from kandji_queries.catalog.queries import catalog
from kandji_queries.catalog.search import things
from kandji_queries.catalog.search.definitions import column_hits, query_hits, table_hits
from kandji_queries.catalog.search.fit import SIMILAR
from kandji_queries.catalog.search.hits import Hit, best_first
from kandji_queries.catalog.search.samples import samples
from kandji_queries.catalog.search.words import LONGEST, Asked, read_words, tokens
from kandji_queries.results.result import Result, StatementRunner
from kandji_queries.results.values import ResultColumn
from kandji_schema.errors import UsageError
from kandji_schema.not_mirrored import NOT_MIRRORED
from kandji_schema.text import one_line

COLUMNS = ("kind", "name", "about")

USUAL = 10
"""Hits that are told where nobody said how many."""

MOST = 50
"""Most hits of one search."""

OF_A_KIND = 4
"""Most hits of one kind where several kinds fit."""

FAR = 0.45
"""What fits less than this share of the best is left out."""

FAR_QUERY = 0.4
"""The same for a named query, which is an answer and not a place to look for one."""

SAMPLED = 5
"""Columns of which values are shown."""

DEFINED = ("column", "table", "view", "query")
"""Kinds that are the same in every mirror."""


class Mirror(StatementRunner, Protocol):
    """What is searched: a :class:`~kandji_queries.reader.Reader`."""

    def tables(self) -> list[TableInfo]:
        """Return every table and view."""

    def columns(self) -> tuple[ColumnPlace, ...]:
        """Return every column of every table and view."""


@dataclass(frozen=True)
class Found:
    """What a search found, the best first; ``as_of`` of the tables that the things told of are from."""

    hits: Sequence[Hit]
    notes: Sequence[str]
    as_of: dict[str, str | None]

    def result(self) -> Result:
        """Return the same as rows of kind, name and about."""
        return Result(
            columns=tuple(ResultColumn(name, "VARCHAR") for name in COLUMNS),
            rows=[(hit.kind, hit.name, hit.shown) for hit in self.hits],
            row_count=len(self.hits),
            as_of=self.as_of,
            notes=list(self.notes),
        )


def search(reader: Mirror, words: str, kind: str | None = None, limit: int = USUAL) -> Found:
    """Search everything that has a name for some words; :class:`UsageError` where there is nothing to look for.

    ``kind`` narrows it to one of :func:`kinds`; another is refused.
    """
    asked, wanted = read_words(words), _wanted(kind)
    if not 1 <= limit <= MOST:
        raise UsageError(f"The limit is {limit}; give 1 to {MOST}.")
    reader.tables()  # has a reader that opens files as they are needed open them all at once
    looked = things.look(reader, asked, (k for k in wanted if k not in DEFINED))
    hits = best_first([*_defined(reader, asked, wanted), *looked.hits])
    shown = hits[:limit] if kind else _mixed(hits, limit)
    shown = things.with_details(reader, _with_samples(reader, shown))
    as_of = {table: moment for hit in shown for table, moment in looked.as_of.get(hit.kind, {}).items()}
    return Found(shown, [*_notes(reader, asked, shown, looked, wanted)], as_of)


def kinds() -> tuple[str, ...]:
    """Return all kinds of hits."""
    return (*DEFINED, *things.kinds())


def _wanted(kind: str | None) -> tuple[str, ...]:
    if kind is None:
        return kinds()
    name = kind.strip().lower()
    singular = _SINGULAR.get(name, name if name in kinds() else name.removesuffix("s"))
    if singular not in kinds():
        raise UsageError(
            f"There is no kind {one_line(kind)[:LONGEST]!r} to search for. There are: {', '.join(kinds())}."
        )
    return (singular,)


_SINGULAR = {"people": "person", "user": "person", "users": "person", "queries": "query", "vulnerability": "cve"}


def _defined(reader: Mirror, asked: Asked, wanted: Sequence[str]) -> Iterator[Hit]:
    if "column" in wanted:
        yield from column_hits(asked, reader.columns())
    if "table" in wanted or "view" in wanted:
        yield from (hit for hit in table_hits(asked, reader.tables()) if hit.kind in wanted)
    if "query" in wanted:
        yield from query_hits(asked, catalog().values())


def _mixed(hits: Sequence[Hit], limit: int) -> list[Hit]:
    """Keep the best of each kind, so that many of one leave room for others, and nothing that fits far less well."""
    kept: list[Hit] = []
    for hit in hits:
        if hit.score < (FAR_QUERY if hit.kind == "query" else FAR) * hits[0].score:
            continue
        if len(kept) < limit and sum(other.kind == hit.kind for other in kept) < OF_A_KIND:
            kept.append(hit)
    return kept


def _with_samples(reader: Mirror, hits: Sequence[Hit]) -> list[Hit]:
    """Add to the first columns what is in them."""
    columns = {hit.name: hit.about.partition(".")[0] for hit in hits if hit.kind == "column"}
    found = samples(reader, dict([*columns.items()][:SAMPLED])) if columns else {}
    return [
        replace(hit, about=f"{hit.about} E.g. {found[hit.name]}.")
        if hit.kind == "column" and hit.name in found
        else hit
        for hit in hits
    ]


def _notes(
    reader: Mirror, asked: Asked, shown: Sequence[Hit], looked: things.Looked, wanted: Sequence[str]
) -> Iterator[str]:
    phrases = set(asked.phrases)
    not_given = [entry for entry in NOT_MIRRORED if not phrases.isdisjoint(map(tokens, entry.words))]
    yield from (entry.sentence() for entry in not_given)
    if not shown and not not_given:
        yield f"Nothing fits {asked.text!r}. {_looked_at(reader, wanted)}"
    if shown and all(hit.score <= SIMILAR for hit in shown):
        yield f"Nothing fits {asked.text!r}; these are written similarly."
    if looked.unread:
        yield f"Never synced, so nothing of theirs can be found: {', '.join(looked.unread)}."
    for reason in dict.fromkeys(looked.refused.values()):
        yield f"Not looked at: {', '.join(k for k, why in looked.refused.items() if why == reason)}. {reason}"


def _looked_at(reader: Mirror, wanted: Sequence[str]) -> str:
    """Say what was looked at, so that an empty answer proves what it can."""
    defined = {
        "column": f"the names and meanings of {len(reader.columns()):,} columns",
        "table": f"{len(reader.tables())} tables and views",
        "query": f"{len(catalog())} named queries",
    }
    parts = [words for kind, words in defined.items() if kind in wanted]
    named = [title[0].lower() + title[1:] for kind, title in things.kinds().items() if kind in wanted]
    names = (
        [f"the names of all {' and '.join([', '.join(named[:-1])] * (len(named) > 1) + named[-1:])}"] if named else []
    )
    return f"Looked at: {', '.join(parts + names)}."
