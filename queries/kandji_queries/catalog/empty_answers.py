"""What is said where a named query has no rows: whether there is such an app, person, blueprint at all.

A parameter names a thing by its own name: ``app``, ``user``, ``blueprint``. No query says anything of this itself.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from kandji_queries.catalog.params import KINDS
from kandji_queries.catalog.search import things
from kandji_queries.catalog.search.fit import EXACT, SIMILAR
from kandji_queries.catalog.search.hits import Hit
from kandji_queries.catalog.search.words import Asked
from kandji_schema.text import fold_text, one_line

if TYPE_CHECKING:
    from kandji_queries.catalog.params import Param
    from kandji_queries.catalog.queries import NamedQuery
    from kandji_queries.results.result import StatementRunner

WHOLE = frozenset({"blueprint", "tag", "cve"})
"""Kinds that queries take by their whole name or number only; of the others a part is enough."""

FEW = 30
"""Of so many names at most some are told where none is meant."""

LISTED = 8
"""Most names that are told then."""

NAMED = 3
"""Most things that are named."""

LONGEST = 200
"""Most characters of a name that is looked for."""


def empty_notes(reader: "StatementRunner", query: "NamedQuery", values: Mapping[str, object]) -> Iterator[str]:
    """Say of each thing that a query without rows was asked for whether it is there, and what is called nearly so."""
    for param in query.params:
        value = one_line(str(values.get(param.name) or ""))
        kind = KINDS.get(param.name)
        if kind and 0 < len(value) <= LONGEST and _shares_a_table(query.sql, things.statement(kind)):
            yield from _notes(reader, kind, value, _others(query.params, param, values))


def lacking_notes(reader: "StatementRunner", query: "NamedQuery", values: Mapping[str, object]) -> Iterator[str]:
    """Say of the thing that the rows of a query lack that nothing has it, and what is called nearly so.

    With a parameter such as ``known_app`` that is true the query has no rows then, and that is said.
    """
    value, kind = one_line(str(values.get(query.lacks or "") or "")), KINDS.get(query.lacks or "")
    if not kind or not 0 < len(value) <= LONGEST:
        return
    looked = things.look(reader, Asked(value), [kind])
    if looked.unread or looked.refused or any(_contains(hit, value) for hit in looked.hits):
        return
    known = f"known_{query.lacks}"
    if values.get(known):
        yield f"No {kind} is called {value!r} on any device, so that none is listed; {known}=false lists all."
        return
    near = [repr(hit.name) for hit in looked.hits[:NAMED]]
    similar = f"Similar: {', '.join(near)}." if near else _all_named(things.names(reader, kind))
    yield f"No {kind} is called {value!r}, so all are listed. {similar}"


def _contains(hit: Hit, value: str) -> bool:
    """Tell whether a query that looks for a part of names finds this."""
    return any(fold_text(value) in fold_text(text) for text in (hit.name, hit.also, hit.shown))


def _notes(reader: "StatementRunner", kind: str, value: str, others: str) -> Iterator[str]:
    looked = things.look(reader, Asked(value), [kind])
    least = EXACT if kind in WHOLE else SIMILAR + 0.01
    meant = [hit for hit in looked.hits if hit.score >= least and _has_a_word(hit, value)]
    word = kind if kind != "cve" else "CVE"
    if meant:
        shown = things.with_details(reader, meant[:NAMED])
        yield f"No rows, though this {word} is there: {_named(shown)}{_more(meant)}{others}."
    elif looked.hits:
        near = [f"{hit.name!r} ({hit.shown})" if kind == "person" else repr(hit.name) for hit in looked.hits[:NAMED]]
        yield f"There is no {word} {value!r}. Similar: {', '.join(near)}."
    elif not looked.unread and not looked.refused:
        yield f"There is no {word} {value!r}. {_all_named(things.names(reader, kind))}"


def _has_a_word(hit: Hit, value: str) -> bool:
    """Tell whether a name has the value or a word of it, so that more than signs and digits fit."""
    name, asked = fold_text(f"{hit.name} {hit.also} {hit.shown}"), fold_text(value)
    words = re.findall(r"[^\W\d_]{3,}", asked)
    return asked in name or any(word in name for word in words)


def _all_named(names: Sequence[str]) -> str:
    """Tell which there are, where these are few."""
    if not 0 < len(names) <= FEW:
        return "None is written similarly."
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"There are: {', '.join(map(repr, names[:LISTED]))}{more}."


def _named(hits: Sequence[Hit]) -> str:
    return "; ".join(f"{one_line(hit.name)} ({one_line(hit.shown)})" for hit in hits)


def _more(hits: Sequence[Hit]) -> str:
    return f"; and {len(hits) - NAMED} more" if len(hits) > NAMED else ""


def _others(params: "Sequence[Param]", but: "Param", values: Mapping[str, object]) -> str:
    """Tell what else was asked, which may be why there are no rows."""
    given = [
        f"{param.name}={values[param.name]}"
        for param in params
        if param is not but and values.get(param.name) not in (None, param.default)
    ]
    return f". Nothing of it fits {', '.join(given)}" if given else ""


def _shares_a_table(sql: str, other: str) -> bool:
    """Tell whether two statements read a table both: an item of a query of launch agents is no library item."""
    return not set(_READS.findall(sql)).isdisjoint(_READS.findall(other))


_READS = re.compile(r"(?:\b(?:FROM|JOIN)\s+|\btable_name = ')([a-z_]+)\b")
