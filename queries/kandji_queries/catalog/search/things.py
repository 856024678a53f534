"""What is in the data and fits a search: apps, people, devices and the rest, one statement a kind.

``lookup/things/<kind>.sql`` returns every name there is once, whatever the length of the table: ``name``, ``also``
(another name), ``id``, what there is to say ``about`` it, and its ``weight`` among those that fit alike.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType

from kandji_queries import sql_files
from kandji_queries.catalog import device_lookup
from kandji_queries.catalog.search.fit import EXACT, SIMILAR, Fit
from kandji_queries.catalog.search.hits import Hit, best_first
from kandji_queries.catalog.search.words import Asked
from kandji_queries.results.result import Result, StatementRunner
from kandji_schema.errors import NotMasked, StatementError
from kandji_schema.text import fold_text

FOLDER = Path(__file__).parents[2] / "lookup"

NAMES = 1_000_000
"""Most names of a kind that are looked at."""

LIKENESS = 0.88
"""How alike a name is written, by Jaro and Winkler, to be told where none fits: ``skynet`` is not like Skype (0.876).

No more than every third letter is another, or ``phoenix`` were like phone.
"""

SLIP = 0.85
"""The same for a name that is one letter off, or two that changed places, as ``ward`` is of Word."""

SHORTEST_LIKE = 4
"""Fewer characters are written like too many names."""

KEPT = 50
"""Most hits of one kind that are kept."""

SOFTWARE = 0.5
"""What is taken off where not a vulnerability is called so, but the software that has it."""

_LIKE = """
    SELECT *, list_max(list_transform(words, lambda word: jaro_winkler_similarity($core, word))) AS likeness,
        length($core) >= $shortest AND list_bool_or(list_transform(words, lambda word:
            CASE WHEN damerau_levenshtein($core, word) <= 1 THEN jaro_winkler_similarity($core, word) >= $slip
            WHEN 3 * damerau_levenshtein($core, word) <= greatest(length($core), length(word)) + 1
            THEN jaro_winkler_similarity($core, word) >= $like ELSE false END)) AS is_like
    FROM (
        SELECT *, list_append(string_split(plain, ' '), plain) AS words
        FROM (SELECT *, strip_accents(lower(name)) AS plain FROM ({sql}))
    )"""


@dataclass
class Looked:
    """What was found. ``as_of`` are the tables looked at, by kind; ``refused`` kinds could not be, for a reason."""

    hits: list[Hit] = field(default_factory=list)
    as_of: dict[str, dict[str, str | None]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    @property
    def unread(self) -> list[str]:
        """Tables that hold nothing because they were never synced."""
        return sorted({table for moments in self.as_of.values() for table, moment in moments.items() if not moment})


@cache
def kinds() -> MappingProxyType[str, str]:
    """Return what the kinds of things are called, by kind."""
    return MappingProxyType({name: file.one("title") for name, file in _files().items()})


def statement(kind: str) -> str:
    """Return the statement that lists all things of a kind."""
    return _files()[kind].sql


def names(reader: StatementRunner, kind: str) -> list[str]:
    """Return the names of all things of a kind, by name."""
    return sorted({row[0] for row in _run(reader, f"SELECT name FROM ({statement(kind)})", {}).rows if row[0]})


def look(reader: StatementRunner, asked: Asked, wanted: Iterable[str]) -> Looked:
    """Look for things of the wanted kinds, the best first; what is written similarly only where nothing fits."""
    looked = Looked()
    for kind in wanted:
        try:
            looked.hits.extend(_found(reader, asked, kind, looked))
        except (NotMasked, StatementError) as error:
            looked.refused[kind] = str(error)
    fitting = [hit for hit in looked.hits if hit.score > SIMILAR]
    looked.hits = best_first(fitting or looked.hits)
    return looked


def with_details(reader: StatementRunner, hits: Iterable[Hit]) -> list[Hit]:
    """Tell of apps how many devices have them, and their lowest and highest version."""
    hits = list(hits)
    names = [hit.name for hit in hits if hit.kind == "app"]
    if not names:
        return hits
    found = _run(reader, sql_files.read(FOLDER / "app_details.sql", _KEYS).sql, {"names": names}).rows
    told = {("app", name, bundle or ""): about for name, bundle, about in found}
    return [replace(hit, about=told.get((hit.kind, hit.name, hit.also), hit.about)) for hit in hits]


def _found(reader: StatementRunner, asked: Asked, kind: str, looked: Looked) -> list[Hit]:
    core = fold_text(asked.core)
    sql = _LIKE.format(sql=statement(kind))
    found = _run(reader, sql, {"core": core, "shortest": SHORTEST_LIKE, "like": LIKENESS, "slip": SLIP})
    looked.as_of[kind] = dict(found.as_of)
    hits = list(_fitting(found, kind, Fit(asked)))
    if kind == "device" and not any(hit.score == EXACT for hit in hits) and _may_be_a_number(asked.core):
        hits.extend(_by_identifier(reader, asked, looked))
    return best_first(hits)[:KEPT]


def _fitting(found: Result, kind: str, fit: Fit) -> Iterator[Hit]:
    at = {column.name: place for place, column in enumerate(found.columns)}
    numbers = [at[name] for name in ("id", "also", "asset_tag") if name in at and (name, kind) != ("also", "cve")]
    for row in found.rows:
        also_fits = fit.name(row[at["also"]]) - (SOFTWARE if kind == "cve" else 0.0)
        score = max(fit.name(row[at["name"]]), also_fits, 0.0, *(fit.number(row[i]) for i in numbers))
        if not score and row[at["is_like"]]:
            score = SIMILAR - 1 + row[at["likeness"]]
        if score:
            also = row[at["also"]] or ""
            yield Hit(kind, row[at["name"]], row[at["about"]] or "", score, float(row[at["weight"]]), also)


def _may_be_a_number(text: str) -> bool:
    """Tell whether it may be an identifier or a name in the network: these have digits, dots or hyphens."""
    return any(character.isdigit() or character in ".-:" for character in text)


def _by_identifier(reader: StatementRunner, asked: Asked, looked: Looked) -> Iterator[Hit]:
    found = device_lookup.by_identifier(reader, asked.core)
    looked.as_of["device"].update(found.as_of)
    for device in device_lookup.as_objects(found):
        told = f"has this {device['match']}; {device_lookup.facts(device)}"
        yield Hit("device", str(device["device_name"]), told, EXACT)


def _run(reader: StatementRunner, sql: str, params: Mapping[str, object]) -> Result:
    return reader.run(sql, params, limits=replace(reader.limits, rows=NAMES, bytes=None))


_KEYS = frozenset({"title", "description"})


@cache
def _files() -> Mapping[str, sql_files.SqlFile]:
    return sql_files.folder(FOLDER / "things", _KEYS)
