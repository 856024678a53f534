"""What is defined and fits a search: columns, tables and views, named queries."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from kandji_queries.catalog.dictionary import ColumnPlace, TableInfo
from kandji_queries.catalog.queries import NamedQuery
from kandji_queries.catalog.search.hits import Hit
from kandji_queries.catalog.search.words import Asked, Tokens, tokens
from kandji_schema.text import fold_text
from kandji_schema.vocabulary import TERMS

LEAST = 0.5
"""What fits less than this is no hit."""

HOMES = ("devices", "fleet", "users", "apps", "device_details", "prism_device_information")
"""Where a column that several tables have is told first."""

ALSO = 3
"""Most other tables that a column is told to be in."""

_TERM = 1.25
_EXACT = 1.6
_WHOLE = 0.5


@dataclass(frozen=True)
class Described:
    """Words of something defined: those of its name count most, then those beside it, then those of its description."""

    name: Tokens
    beside: Tokens
    description: Tokens

    def share(self, token: str) -> float:
        """Tell how well a word is found here, from 0 to 1."""
        if token in self.name:
            return 1.0
        if any(_begins(word, token) for word in self.name):
            return 0.8
        if token in self.description:
            return 0.6
        if any(_begins(word, token) for word in self.beside):
            return 0.55
        return 0.5 if any(_begins(word, token) for word in self.description) else 0.0


def column_hits(asked: Asked, places: Sequence[ColumnPlace]) -> list[Hit]:
    """Return the columns that fit, one hit a name; the other tables that have it are told there."""
    meant = _meant(asked)
    scores = [(_column_score(asked, place, meant), place) for place in places if place.column != "extra"]
    by_name: Mapping[str, list[tuple[float, ColumnPlace]]] = defaultdict(list)
    for score, place in scores:
        if score >= LEAST:
            by_name[place.column].append((score, place))
    return [_column_hit(found) for found in by_name.values()]


def table_hits(asked: Asked, infos: Iterable[TableInfo]) -> list[Hit]:
    """Return the tables and views that fit."""
    found = []
    for info in infos:
        exact = fold_text(info.name) == "_".join(fold_text(asked.text).split())
        words = Described(tokens(info.name.removeprefix("prism_")), (), tokens(info.description))
        if (score := _EXACT if exact else 1.02 * _score(asked, words)) >= LEAST:
            rows = "" if info.rows is None else f"{info.rows:,} rows. "
            found.append(
                Hit(info.kind, info.name, f"{rows}{info.description.split('. ')[0]}.".replace("..", "."), score)
            )
    return found


def query_hits(asked: Asked, queries: Iterable[NamedQuery]) -> list[Hit]:
    """Return the named queries that fit."""
    found = []
    for query in queries:
        beside = tokens(" ".join([query.title, *(param.name for param in query.params)]))
        words = Described(tokens(query.name), beside, tokens(query.description))
        exact = fold_text(query.name) == "_".join(fold_text(asked.text).split())
        if (score := _EXACT if exact else 0.97 * _score(asked, words)) >= LEAST:
            found.append(Hit("query", _call(query), f"{query.description.split('. ')[0]}.", score))
    return found


def _call(query: NamedQuery) -> str:
    """Write a query as it is called: ``devices_with_app(app)``, with the parameters that it needs."""
    needed = ", ".join(param.name for param in query.params if param.required)
    return f"{query.name}({needed})" if needed else query.name


def _column_score(asked: Asked, place: ColumnPlace, meant: Mapping[str, Mapping[str, float]]) -> float:
    exact = fold_text(place.column) == "_".join(fold_text(asked.text).split()) or fold_text(asked.text) == place.path
    words = Described(tokens(place.column), tokens(place.table), tokens(place.description))
    return max(_EXACT if exact else 0.0, _score(asked, words, meant.get(place.path, {})))


def _score(asked: Asked, words: Described, known: Mapping[str, float] = MappingProxyType({})) -> float:
    """Return the mean of how well each word is found, and a little more where that is all of the name."""
    shares = {token: max(known.get(token, 0.0), words.share(token)) for token in asked.tokens}
    whole = sum(asked.weight(token) * share for token, share in shares.items())
    named = sum(words.share(token) >= 0.8 for token in asked.tokens) / max(len(words.name), 1)
    return whole / sum(map(asked.weight, asked.tokens)) + 0.1 * min(named, 1.0)


def _meant(asked: Asked) -> Mapping[str, Mapping[str, float]]:
    """Return the columns that the vocabulary names for phrases of the search: by column how well each word fits."""
    found: Mapping[str, dict[str, float]] = defaultdict(dict)
    for phrase, columns in _phrases():
        if phrase in asked.phrases:
            for place, column in enumerate(columns):
                whole = _WHOLE if phrase == asked.tokens else 0.0  # then the order there counts, and not the name
                value = _TERM + whole + 0.05 * len(phrase) - 0.06 * place
                found[column].update({token: max(value, found[column].get(token, 0.0)) for token in phrase})
    return found


def _phrases() -> Iterator[tuple[Tokens, tuple[str, ...]]]:
    yield from ((tokens(phrase), term.columns) for term in TERMS for phrase in term.words)


def _column_hit(found: list[tuple[float, ColumnPlace]]) -> Hit:
    """Tell of a column in its best table; it is in the others of that name too."""
    found.sort(key=lambda one: (-round(one[0], 2), _home(one[1].table), one[1].table))
    score, place = found[0]
    others = [other.table for _, other in found[1:]]
    more = f" and {len(others) - ALSO} more" if len(others) > ALSO else ""
    also = f" Also in {', '.join(others[:ALSO])}{more}." if others else ""
    return Hit("column", place.path, f"{place.type}. {place.description}{also}", score)


def _home(table: str) -> int:
    return HOMES.index(table) if table in HOMES else len(HOMES)


def _begins(word: str, token: str) -> bool:
    """Tell whether one begins with the other, so that they are of one family; a search much longer is of none."""
    if len(token) > 2 * len(word):
        return False
    shorter, longer = sorted((word, token), key=len)
    return shorter == longer or (len(shorter) > 3 and longer.startswith(shorter))
