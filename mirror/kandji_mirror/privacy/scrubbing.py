"""Texts that are not personal as such, without the people that may stand in them all the same.

``Exchange jane.doe@example.com`` becomes ``Exchange person_3f9a5c1be0d7a264``: each e-mail address, and each spelling
of somebody who is known (:mod:`kandji_mirror.privacy.people`), by the pseudonym it has in its own column, so that texts
can still be joined to people. Texts are looked at once each, however many rows they are in.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from kandji_mirror.privacy.masking import masked
from kandji_mirror.privacy.people import FIRST, GLUED, HAN, SHORTEST_GLUED, STEM, TABLE, stem
from kandji_mirror.privacy.words import EMAIL, SUSPECT, TOKEN, WORD, fold_word, map_texts, plain_address
from kandji_schema.columns import Column, Kind
from kandji_schema.resource import Resource
from kandji_schema.sql import literal

_TEXTS, _LISTS = "temp.scrubbed", "temp.scrubbed_lists"
_EMAIL, _TOKEN = literal(EMAIL), literal(TOKEN)
_LONGEST = 200
"""Characters of a word in which joined names are looked for: longer ones are data in letters."""


def _suspects(texts: str) -> str:
    """Select the texts that may name somebody. Identifiers cannot, and there are many of them."""
    uuid = "[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}"
    wordy = f"regexp_matches(v, '{SUSPECT}') AND NOT regexp_full_match(v, '{uuid}')"
    return f"SELECT v FROM ({texts}) WHERE {wordy} GROUP BY v"


_WORDS = f"SELECT DISTINCT unnest(regexp_extract_all(v, '{WORD}')) AS raw FROM temp.suspects"
_PLAIN = "regexp_full_match(raw, '[0-9A-Za-z]+')"
_FORMS = (
    "SELECT raw, folded, loose, coalesce(nullif(regexp_replace(loose, '^[0-9]+|[0-9]+$', '', 'g'), ''), loose) AS bare "
    "FROM (SELECT raw, folded, memory.main.people_loose(folded) AS loose FROM "
    "(SELECT raw, coalesce(mapped, lower(raw)) AS folded FROM temp.words LEFT JOIN temp.foreign_words USING (raw)) "
    "WHERE folded <> '')"
)
"""A word as it is, as it may be transliterated, and without digits at its ends."""

_EACH_FORM = "unnest(list_distinct([folded, loose, bare])) AS form"
_HITS = (
    f"SELECT DISTINCT raw FROM (SELECT raw, {_EACH_FORM} FROM temp.forms) WHERE form IN (SELECT form FROM "
    f"(SELECT DISTINCT {_EACH_FORM} FROM temp.forms) "
    f"WHERE memory.main.people_mark(form, {FIRST}) IN (SELECT mark FROM {TABLE} WHERE words = {FIRST}))"
)


def _glued() -> str:
    """Words with a joined name in them. One that is short has to begin and end where the writer shows it."""
    begins = r"spot = 1 OR regexp_matches(substr(raw, spot - 1, 2), '^(?:[^\p{L}].|.\p{Lu})')"
    ends = r"spot + size > length(raw) OR regexp_matches(substr(raw, spot + size - 1, 2), '^.(?:[^\p{L}]|\p{Lu})')"
    shown = f"length(raw) = length(form) AND ({begins}) AND ({ends})"
    return (
        "WITH long AS (SELECT raw, unnest(list_distinct([folded, loose])) AS form FROM temp.forms "
        f"WHERE length(folded) <= {_LONGEST} AND (length(folded) >= {SHORTEST_GLUED} OR folded > {HAN}) "
        "AND NOT regexp_full_match(folded, '[0-9]*[a-z]{0,3}[0-9]*')), "
        "places AS (SELECT raw, form, unnest(range(1, length(form) - 1)) AS spot FROM long), "
        "rests AS (SELECT raw, form, spot, substr(form, spot) AS rest FROM places), "
        f"stems AS (SELECT raw, form, spot, rest, {stem('rest')} AS stem FROM rests), "
        "likely AS (SELECT stem FROM (SELECT DISTINCT stem FROM stems) "
        f"WHERE memory.main.people_mark(stem, {STEM}) IN (SELECT mark FROM {TABLE} WHERE words = {STEM})), "
        "parts AS (SELECT raw, form, spot, left(rest, size) AS part, size FROM (SELECT raw, form, spot, rest, "
        "unnest(range(3, least(length(rest), 40) + 1)) AS size FROM stems WHERE stem IN (FROM likely)) "
        f"WHERE size > {SHORTEST_GLUED} OR rest > {HAN} OR (size = {SHORTEST_GLUED} AND {shown})), "
        "marks AS (SELECT part, mark FROM (SELECT part, "
        f"memory.main.people_mark(part, {GLUED}) AS mark FROM (SELECT DISTINCT part FROM parts)) "
        f"WHERE mark IN (SELECT mark FROM {TABLE} WHERE words = {GLUED})) "
        "SELECT DISTINCT raw, size, mark FROM parts JOIN marks USING (part)"
    )


def _found(*, addresses: bool) -> str:
    named = f"SELECT v FROM (SELECT v, unnest(regexp_extract_all(v, '{WORD}')) AS raw FROM temp.suspects) "
    also = f"OR regexp_matches(v, {_EMAIL})" if addresses else ""
    return (
        f"SELECT row_number() OVER () AS id, v, regexp_extract_all(v, {_TOKEN}, 0, 's') AS tokens FROM temp.suspects "
        f"WHERE v IN ({named} WHERE raw IN (SELECT raw FROM temp.hits UNION SELECT raw FROM temp.glued)) {also}"
    )


_TOKENS = (
    "SELECT *, count(*) FILTER (is_word) OVER (PARTITION BY id ORDER BY i) AS n FROM (SELECT id, i, token, folded, "
    f"loose, bare, folded IS NOT NULL AS is_word, regexp_full_match(token, {_EMAIL}) AS is_address FROM "
    "(SELECT id, unnest(tokens) AS token, generate_subscripts(tokens, 1) AS i FROM temp.found) "
    "LEFT JOIN temp.forms ON raw = token)"
)
"""``n`` is the number of a word in its text; what is between two words has that of the first."""

_SAID = (
    "said AS (SELECT id, list(folded ORDER BY i) AS exact, list(loose ORDER BY i) AS loose, "
    "list(bare ORDER BY i) AS bare FROM temp.tokens WHERE is_word GROUP BY id), "
    "variants AS (SELECT id, exact AS words, 2 AS rank FROM said UNION ALL SELECT id, loose, 1 FROM said "
    "WHERE loose <> exact UNION ALL SELECT id, bare, 0 FROM said WHERE bare <> loose)"
)


def _matches(since: int) -> str:
    """Where somebody is named, and by how many words. An initial between two names is none of them."""
    return (
        f"WITH {_SAID}, lengths AS (SELECT DISTINCT words AS many FROM {TABLE} WHERE words > 0), "
        "starts AS (SELECT id, n FROM temp.tokens WHERE is_word AND token IN (SELECT raw FROM temp.hits)), "
        "begun AS (SELECT * FROM starts JOIN variants USING (id)), "
        "grams AS (SELECT id, n, many, many AS span, rank, array_to_string(words[n:n + many - 1], ' ') AS spelling "
        "FROM begun, lengths WHERE n + many - 1 <= len(words) AND (many > 1 OR rank > 0) UNION ALL "
        "SELECT id, n, 2, 3, rank, words[n] || ' ' || words[n + 2] FROM begun "
        "WHERE n + 2 <= len(words) AND length(words[n + 1]) = 1), "
        "marks AS (SELECT spelling, many, memory.main.people_mark(spelling, many) AS mark "
        "FROM (SELECT DISTINCT spelling, many FROM grams)), "
        "named AS (SELECT id, n, span, span * 100 + rank AS worth, mark FROM grams JOIN marks USING (spelling, many) "
        "UNION ALL SELECT id, n, 1, size - 100, mark FROM temp.tokens JOIN temp.glued ON raw = token) "
        "SELECT id, n, arg_max(span, worth) AS many, arg_max(pseudonym, worth) AS pseudonym FROM named "
        f"JOIN (SELECT * FROM {TABLE} WHERE place >= {since}) AS p USING (mark) GROUP BY id, n"
    )


_KEPT = (
    "inner_ones AS (SELECT m.id, m.n FROM temp.matches AS m JOIN temp.matches AS o ON o.id = m.id AND o.n < m.n "
    "AND o.n + o.many > m.n), "
    "outer_ones AS (FROM temp.matches ANTI JOIN inner_ones USING (id, n)), "
    "again AS (SELECT m.id, m.n FROM temp.matches AS m JOIN outer_ones AS o ON o.id = m.id AND o.n < m.n "
    "AND o.n + o.many > m.n AND o.pseudonym = m.pseudonym), "
    "kept AS (FROM temp.matches ANTI JOIN again USING (id, n))"
)
"""Matches without those that begin inside of another of the same person: ``Jane Doe (Jane Doe)`` is two."""


def _scrubbed(*, addresses: bool) -> str:
    """Of what matches cover the first word becomes the pseudonym, and the rest is gone."""
    address = f"is_address AND {addresses}"
    return (
        f"WITH {_KEPT}, covered AS (SELECT t.id, t.i, min(m.n) AS first FROM temp.tokens AS t JOIN kept AS m "
        "ON m.id = t.id AND t.n >= m.n AND t.n <= m.n + m.many - 1 AND (t.is_word OR t.n < m.n + m.many - 1) "
        "GROUP BY ALL), "
        f"said AS (SELECT t.id, t.i, CASE WHEN first IS NULL AND {address} "
        "THEN memory.main.mask_person(mapped) WHEN first IS NULL THEN token "
        "WHEN is_word AND n = first THEN pseudonym ELSE '' END AS out FROM temp.tokens AS t "
        "LEFT JOIN temp.addresses ON is_address AND raw = token LEFT JOIN covered USING (id, i) "
        "LEFT JOIN (SELECT id, n AS first, pseudonym FROM temp.matches) AS m "
        "USING (id, first)) "
        "SELECT v AS before, after FROM (SELECT id, string_agg(out, '' ORDER BY i) AS after FROM said GROUP BY id) "
        "JOIN temp.found USING (id) WHERE v <> after"
    )


@dataclass(frozen=True)
class Scrubbing:
    """What changes of the texts of a table ``relation``, worked out on one connection, whose temporary tables hold it.

    ``columns`` are those looked at: every one that keeps words and is not masked as a whole.
    """

    columns: tuple[Column, ...]
    texts: int
    lists: int
    already_masked: bool = False

    @property
    def anything(self) -> bool:
        """Whether there is a text to change."""
        return self.texts + self.lists > 0

    def value(self, column: Column, otherwise: str) -> str:
        """Expression of a column's value without people, ``otherwise`` where it names none; see :meth:`joins`."""
        return f"coalesce({_alias(column)}.after::{column.kind}, {otherwise})" if self._joined(column) else otherwise

    def joins(self, rows: str) -> str:
        """Return the joins that :meth:`value` needs beside the table that is called ``rows``."""
        joined = ((c, _alias(c), _seen(c, rows, self.already_masked)) for c in self.columns if self._joined(c))
        return " ".join(f"LEFT JOIN {_table(c)} AS {name} ON {name}.before = {seen}" for c, name, seen in joined)

    def update(self, con: duckdb.DuckDBPyConnection, table: str) -> None:
        """Change the texts in a table, whose columns that are masked as a whole are so already."""
        for column in self.columns:
            if self._joined(column):
                con.execute(
                    f'UPDATE {table} AS r SET "{column.name}" = s.after FROM {_table(column)} AS s '
                    f'WHERE s.before = r."{column.name}"{"" if column.kind is Kind.TEXTS else "::VARCHAR"}'
                )

    def _joined(self, column: Column) -> bool:
        return column in self.columns and (self.lists if column.kind is Kind.TEXTS else self.texts) > 0


def scrubbing(
    con: duckdb.DuckDBPyConnection,
    columns: Sequence[Column],
    relation: str,
    *,
    since: int = 0,
    already_masked: bool = False,
) -> Scrubbing:
    """Find out which texts of ``relation`` have to change.

    ``since`` looks only for people who became known at that number or later. In a relation that is ``already_masked``
    documents are as they stay.
    """
    wanted = tuple(columns)
    parts = [f"SELECT {_text(c, 'r', already_masked)} AS v FROM {relation} AS r" for c in wanted]
    if not parts:
        return Scrubbing((), 0, 0)
    texts = scrub_texts(con, " UNION ALL ".join(parts), since=since)
    lists = [c for c in wanted if c.kind is Kind.TEXTS] if texts else []
    return Scrubbing(wanted, texts, _scrub_lists(con, relation, lists) if lists else 0, already_masked)


def scrub_texts(con: duckdb.DuckDBPyConnection, texts: str, *, since: int = 0) -> int:
    """Make the temporary table ``scrubbed`` (before, after) of the texts ``v`` of a query that have to change.

    Gives their number.
    """
    addresses = not since
    steps = (
        ("suspects", _suspects(texts)),
        ("words", _WORDS),
        ("foreign_words", f"SELECT raw FROM temp.words WHERE NOT {_PLAIN}"),
        ("forms", _FORMS),
        ("hits", _HITS),
        ("glued", _glued()),
        ("found", _found(addresses=addresses)),
        ("tokens", _TOKENS),
        ("addresses", "SELECT DISTINCT token FROM temp.tokens WHERE is_address"),
        ("matches", _matches(since)),
        ("scrubbed", _scrubbed(addresses=addresses)),
    )
    made = 0
    for table, query in steps:
        if table in _MAPPED:
            map_texts(con, table, query, _MAPPED[table])
            continue
        ((made,),) = con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {query}").fetchall()
        if not made and table in ("suspects", "found"):  # as in most tables at most times
            con.execute("CREATE OR REPLACE TEMP TABLE scrubbed (before VARCHAR, after VARCHAR)")
            break
    return int(made)


_MAPPED = {"foreign_words": fold_word, "addresses": plain_address}
"""Temporary tables that Python makes, of few texts."""


def scrubbed_columns(resource: Resource) -> tuple[Column, ...]:
    """Return the columns whose texts are looked at: all but those masked as a whole, and the key of the rows.

    None of a public feed: nobody of the tenant is in it, and a pseudonym amid words that everyone can read elsewhere
    would say whose it is.
    """
    if resource.feed:
        return ()
    kinds = (Kind.TEXT, Kind.TEXTS, Kind.DOCUMENT)
    return tuple(c for c in resource.columns if c.kind in kinds and not c.personal and c.name != resource.key[0])


def _text(column: Column, rows: str, already_masked: bool) -> str:
    seen = _seen(column, rows, already_masked)
    return f"unnest({seen})" if column.kind is Kind.TEXTS else seen


def _seen(column: Column, rows: str, already_masked: bool) -> str:
    """Return what of a column is looked at: of a document what is left when it is masked."""
    value = f'{rows}."{column.name}"'
    if column.kind is not Kind.DOCUMENT:
        return value
    return f"{value if already_masked else masked(column, value)}::VARCHAR"


def _scrub_lists(con: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[Column]) -> int:
    lists = " UNION ".join(f'SELECT "{c.name}" AS before FROM {relation}' for c in columns)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {_LISTS.removeprefix('temp.')} AS "
        "SELECT l.before, list(coalesce(s.after, one) ORDER BY i) AS after FROM (SELECT before, unnest(before) AS one, "
        f"generate_subscripts(before, 1) AS i FROM ({lists})) AS l LEFT JOIN {_TEXTS} AS s ON s.before = l.one "
        "GROUP BY l.before HAVING count(s.after) > 0"
    )
    ((found,),) = con.execute(f"SELECT count(*) FROM {_LISTS}").fetchall()
    return int(found)


def _table(column: Column) -> str:
    return _LISTS if column.kind is Kind.TEXTS else _TEXTS


def _alias(column: Column) -> str:
    return f'"s {column.name}"'
