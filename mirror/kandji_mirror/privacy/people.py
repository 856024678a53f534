"""The people who are known: by which words a text may name them, kept as keyed hashes, never as names.

Marked columns tell of them: full names, addresses, short names of accounts. Of each the spellings that are likely in
other texts are remembered (``Doe, Jane``, ``jane.doe``, ``janedoe``), folded and hashed with the home's key, beside the
pseudonym the value has in its own column. So the list may lie on the disk in every mode, and a text is looked up word
by word without anybody's name being there to compare with.
"""

from collections.abc import Iterator
from pathlib import Path

import duckdb

from kandji_mirror.privacy.key import Key
from kandji_mirror.privacy.words import WORD, map_texts
from kandji_schema.columns import Names
from kandji_schema.files import publish_file
from kandji_schema.privacy import NOT_PEOPLE
from kandji_schema.resource import Resource
from kandji_schema.sql import identifier, literal
from kandji_schema.text import fold_text

TABLE = "memory.main.people"
_MOST_WORDS = 6
_SHORTEST = 3
"""Characters of one word that counts as a name: shorter ones are parts of everything."""

SHORTEST_GLUED = 7
"""Letters of a joined name that is looked for inside of words; of Han and Kana :data:`_SHORTEST`."""

HAN = "chr(11904)"
"""From this character on a script writes words without blanks and names with few characters."""

FIRST, GLUED, STEM = 0, -1, -2
"""What ``words`` says of a mark that is no spelling: of a first word, of a joined name, of the start of one."""

_PERSONS_UID = "(uid IS NULL OR uid >= 500)"
"""Accounts below are macOS's own (``prism_local_users``)."""


class People:
    """Who is known to one engine. Not thread-safe by itself: each connection sees what others have committed."""

    def __init__(self, con: duckdb.DuckDBPyConnection, key: Key) -> None:
        """Make the empty list in the engine's memory."""
        self._key = key
        self.searched = 0
        """Up to whom the masked files were searched for them."""
        self.saved = 0
        self.known_to: dict[str, int] = {}
        """Up to whom the texts of a file were searched when it was made, by the file's name."""
        con.execute(
            "CREATE SEQUENCE memory.main.people_order; CREATE TABLE memory.main.people "
            "(mark VARCHAR, words INTEGER, pseudonym VARCHAR, place BIGINT)"
        )

    def file(self, home: Path) -> Path:
        """Where a home keeps its list; another key has another file."""
        return home / "store" / f"people.{self._key.name}.parquet"

    def load(self, con: duckdb.DuckDBPyConnection, home: Path) -> bool:
        """Take in what the home knows; tells whether it has a list. Those people count as seen before."""
        file = self.file(home)
        if not file.exists():
            return False
        con.execute(
            f"INSERT INTO {TABLE} SELECT mark, words, pseudonym, 0 FROM read_parquet({literal(file)}) "
            f"WHERE mark NOT IN (SELECT mark FROM {TABLE})"
        )
        return True

    def save(self, con: duckdb.DuckDBPyConnection, home: Path) -> None:
        """Write the list, with what others wrote meanwhile."""
        self.load(con, home)
        file = self.file(home)
        temporary = file.with_name(f"{file.name}.tmp")
        temporary.unlink(missing_ok=True)
        temporary.touch(mode=0o600)
        columns = "mark, any_value(words) AS words, min(pseudonym) AS pseudonym"
        con.execute(
            f"COPY (SELECT {columns} FROM {TABLE} GROUP BY mark ORDER BY mark) TO {literal(temporary)} (FORMAT parquet)"
        )
        publish_file(temporary, file)
        for name in self._key.former_names:
            (home / "store" / f"people.{name}.parquet").unlink(missing_ok=True)
        self.saved = self.newest(con)

    def learn(self, con: duckdb.DuckDBPyConnection, resource: Resource, relation: str) -> None:
        """Remember the people in a relation that has the table's columns in clear; nothing where it tells of none."""
        if not tells_of_people(resource):
            return
        con.execute(f"CREATE OR REPLACE TEMP TABLE named AS {' UNION '.join(_named(resource, relation))}")
        map_texts(con, "named_folds", "SELECT DISTINCT v FROM temp.named", fold_text)
        parts = " UNION ALL ".join(part for names in Names for part in _spellings(names))
        con.execute(
            f"INSERT INTO {TABLE} WITH written AS MATERIALIZED ({_WRITTEN}), exact AS ({parts}), {_SPELT}, "
            f"marks AS ({_MARKS}) SELECT mark, n, pseudonym, nextval('memory.main.people_order') FROM ("
            "SELECT memory.main.people_mark(spelling, n) AS mark, n, pseudonym FROM (SELECT spelling, n, "
            "arg_min(pseudonym, loose || pseudonym) AS pseudonym FROM marks GROUP BY spelling, n)) "
            f"WHERE mark NOT IN (SELECT mark FROM {TABLE})"
        )

    def newest(self, con: duckdb.DuckDBPyConnection) -> int:
        """Return a number that grows with everybody who becomes known; 0 where nobody did since the list was loaded."""
        ((found,),) = con.execute(f"SELECT coalesce(max(place), 0) FROM {TABLE}").fetchall()
        return int(found)


def tells_of_people(resource: Resource) -> bool:
    """Whether a table has columns from which people become known."""
    return any(column.names for column in resource.columns)


def _named(resource: Resource, relation: str) -> Iterator[str]:
    """Select the values that name people, each with the kind of its column."""
    where = f" AND {_PERSONS_UID}" if any(c.name == "uid" for c in resource.columns) else ""
    for column in resource.columns:
        if column.names:
            value = identifier(column.name)
            rows = f"FROM {relation} WHERE NOT starts_with({value}, '_'){where}"
            yield f"SELECT '{column.names}' AS names, {value} AS v {rows}"


def _spellings(names: Names) -> Iterator[str]:
    """Select lists of folded words and the pseudonym of the value that they spell."""
    for words in _words(names):
        yield f"SELECT {words} AS words, pseudonym FROM written WHERE names = '{names}'"


def _words(names: Names) -> Iterator[str]:
    whole = "whole"
    if names is Names.ADDRESS:
        yield whole
        whole = "account"
    yield whole
    yield f"CASE WHEN len({whole}) > 1 THEN [array_to_string({whole}, '')] END"
    if names is Names.FULL_NAME:
        first_last, last_first = f"[{whole}[1], {whole}[-1]]", f"[{whole}[-1], {whole}[1]]"
        for both in (first_last, last_first):
            yield f"CASE WHEN len({whole}) > 1 THEN {both} END"
            yield f"CASE WHEN len({whole}) > 1 THEN [array_to_string({both}, '')] END"
        yield f"CASE WHEN len({whole}) > 2 THEN list_prepend({whole}[-1], {whole}[:-2]) END"


def _telling() -> str:
    """Whether a spelling tells of a person: words that name roles, products and system accounts do not."""
    general = ", ".join(f"'{word}'" for word in sorted(NOT_PEOPLE))
    one = (
        f"len(words) = 1 AND length(words[1]) >= CASE WHEN words[1] > chr(127) THEN 2 ELSE {_SHORTEST} END "
        f"AND words[1] NOT IN ({general}) AND NOT regexp_full_match(words[1], '[0-9]+')"
    )
    more = f"len(words) BETWEEN 2 AND {_MOST_WORDS} AND length(array_to_string(words, '')) >= {_SHORTEST}"
    every = f"len(list_filter(words, lambda w: w NOT IN ({general}))) > 0"
    return f"words IS NOT NULL AND (({one}) OR ({more} AND {every}))"


_WRITTEN = (
    f"SELECT DISTINCT names, pseudonym, regexp_extract_all(folded, '{WORD}') AS whole, CASE names WHEN "
    f"'{Names.ADDRESS}' THEN regexp_extract_all(split_part(folded, chr(64), 1), '{WORD}') END AS account FROM ("
    "SELECT names, unnest(list_distinct([mapped, replace(mapped, chr(39), '')])) AS folded, "
    "memory.main.mask_person(v) AS pseudonym FROM temp.named JOIN temp.named_folds ON raw = v)"
)
"""Names with their apostrophes and without: ``O'Neil`` is two words, ``ONeil`` is one."""

_SPELT = (
    "spelt AS (SELECT DISTINCT words, pseudonym, loose FROM (SELECT words, pseudonym, 0 AS loose FROM exact UNION ALL "
    "SELECT list_transform(words, lambda word: memory.main.people_loose(word)), pseudonym, 1 FROM exact) "
    f"WHERE {_telling()}), "
    "glued AS (SELECT DISTINCT array_to_string(words, '') AS name, pseudonym, loose FROM spelt WHERE len(words) > 1 "
    f"AND length(name) >= CASE WHEN name > {HAN} THEN {_SHORTEST} ELSE {SHORTEST_GLUED} END)"
)


def stem(text: str) -> str:
    """Return the expression of the start of a joined name, by which words are told apart that may have it in them."""
    return f"left({text}, CASE WHEN {text} > {HAN} THEN {_SHORTEST} ELSE 4 END)"


_MARKS = (
    "SELECT array_to_string(words, ' ') AS spelling, len(words) AS n, pseudonym, loose FROM spelt "
    # the first words once more, as those a text is searched for before anything longer
    f"UNION ALL SELECT words[1], {FIRST}, NULL, 0 FROM spelt "
    f"UNION ALL SELECT name, {GLUED}, pseudonym, loose FROM glued "
    f"UNION ALL SELECT {stem('name')}, {STEM}, NULL, 0 FROM glued"
)
