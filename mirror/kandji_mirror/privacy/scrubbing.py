"""Texts that are not personal as such, without the people that may stand in them all the same.

``Exchange jane.doe@example.com`` becomes ``Exchange person_3f9a5c1be0d7a264``: each e-mail address, and each spelling
of somebody who is known (:mod:`kandji_mirror.privacy.people`), by the pseudonym it has in its own column, so that texts
can still be joined to people. Texts are looked at once each, however many rows they are in.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from kandji_mirror.privacy.masking import EMAIL, WORD, masked
from kandji_mirror.privacy.people import TABLE
from kandji_schema.columns import Column, Kind
from kandji_schema.resource import Resource

_TEXTS, _LISTS = "temp.scrubbed", "temp.scrubbed_lists"
_EMAIL = EMAIL.replace("'", "''")
_TOKEN = rf"{_EMAIL}|{WORD}|[^\p{{L}}\p{{M}}\p{{N}}]"


def _suspects(texts: str) -> str:
    """Identifiers cannot name anybody, and there are many of them."""
    uuid = "[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}"
    wordy = f"regexp_matches(v, '[\\p{{L}}@]') AND NOT regexp_full_match(v, '{uuid}')"
    return f"SELECT v FROM ({texts}) WHERE {wordy} GROUP BY v"


_HITS = (
    "SELECT word FROM (SELECT DISTINCT unnest(memory.main.people_words(v)) AS word FROM temp.suspects) "
    f"WHERE memory.main.people_mark(word, 0) IN (SELECT mark FROM {TABLE} WHERE words = 0)"
)


def _found(*, addresses: bool) -> str:
    named = "SELECT v FROM (SELECT v, unnest(memory.main.people_words(v)) AS word FROM temp.suspects) "
    also = f"OR regexp_matches(v, '{_EMAIL}')" if addresses else ""
    return (
        f"SELECT row_number() OVER () AS id, v, regexp_extract_all(v, '{_TOKEN}', 0, 's') AS tokens FROM temp.suspects "
        f"WHERE v IN ({named} WHERE word IN (SELECT word FROM temp.hits)) {also}"
    )


_TOKENS = (
    "SELECT *, count(*) FILTER (is_word) OVER (PARTITION BY id ORDER BY i) AS n FROM (SELECT id, i, token, "
    f"memory.main.people_fold(token) AS folded, regexp_full_match(token, '{WORD}') AS is_word, "
    f"regexp_full_match(token, '{_EMAIL}') AS is_address FROM "
    "(SELECT id, unnest(tokens) AS token, generate_subscripts(tokens, 1) AS i FROM temp.found))"
)
"""``n`` is the number of a word in its text; what is between two words has that of the first."""


def _matches(since: int) -> str:
    return (
        "WITH said AS (SELECT id, list(folded ORDER BY i) AS words FROM temp.tokens WHERE is_word GROUP BY id), "
        f"lengths AS (SELECT DISTINCT words AS many FROM {TABLE} WHERE words > 0), "
        "starts AS (SELECT id, n FROM temp.tokens WHERE is_word AND folded IN (SELECT word FROM temp.hits)), "
        "grams AS (SELECT id, n, many, array_to_string(words[n:n + many - 1], ' ') AS spelling "
        "FROM starts JOIN said USING (id), lengths WHERE n + many - 1 <= len(words)), "
        "marks AS (SELECT spelling, many, memory.main.people_mark(spelling, many) AS mark "
        "FROM (SELECT DISTINCT spelling, many FROM grams)) "
        "SELECT id, n, max(many) AS many, arg_max(pseudonym, many) AS pseudonym FROM grams JOIN marks "
        f"USING (spelling, many) JOIN (SELECT * FROM {TABLE} WHERE place >= {since}) AS p USING (mark) GROUP BY id, n"
    )


def _scrubbed(*, addresses: bool) -> str:
    """Of what matches cover the first word becomes the pseudonym, and the rest is gone."""
    address = f"is_address AND {addresses}"
    return (
        "WITH covered AS (SELECT t.id, t.i, min(m.n) AS first FROM temp.tokens AS t JOIN temp.matches AS m "
        "ON m.id = t.id AND t.n >= m.n AND t.n <= m.n + m.many - 1 AND (t.is_word OR t.n < m.n + m.many - 1) "
        "GROUP BY ALL), "
        f"said AS (SELECT t.id, t.i, CASE WHEN first IS NULL AND {address} "
        "THEN memory.main.mask_person(replace(token, '%40', '@')) WHEN first IS NULL THEN token "
        "WHEN is_word AND n = first THEN pseudonym ELSE '' END AS out FROM temp.tokens AS t "
        "LEFT JOIN covered USING (id, i) LEFT JOIN (SELECT id, n AS first, pseudonym FROM temp.matches) AS m "
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
        """What :meth:`value` needs beside the table that is called ``rows``."""
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
    steps = {
        "suspects": _suspects(texts),
        "hits": _HITS,
        "found": _found(addresses=addresses),
        "tokens": _TOKENS,
        "matches": _matches(since),
        "scrubbed": _scrubbed(addresses=addresses),
    }
    made = 0
    for table, query in steps.items():
        ((made,),) = con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {query}").fetchall()
        if not made and table in ("suspects", "found"):  # as in most tables at most times
            con.execute("CREATE OR REPLACE TEMP TABLE scrubbed (before VARCHAR, after VARCHAR)")
            break
    return int(made)


def scrubbed_columns(resource: Resource) -> tuple[Column, ...]:
    """The columns whose texts are looked at: all but those masked as a whole, and the key that rows are found by."""
    kinds = (Kind.TEXT, Kind.TEXTS, Kind.DOCUMENT)
    return tuple(c for c in resource.columns if c.kind in kinds and not c.personal and c.name != resource.key[0])


def _text(column: Column, rows: str, already_masked: bool) -> str:
    seen = _seen(column, rows, already_masked)
    return f"unnest({seen})" if column.kind is Kind.TEXTS else seen


def _seen(column: Column, rows: str, already_masked: bool) -> str:
    """What of a column is looked at: of a document what is left when it is masked."""
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
