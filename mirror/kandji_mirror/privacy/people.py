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
from kandji_mirror.privacy.masking import literal
from kandji_schema.columns import Column, Names
from kandji_schema.durable import appear
from kandji_schema.privacy import NOT_PEOPLE
from kandji_schema.resource import Resource

TABLE = "memory.main.people"
_MOST_WORDS = 6
_SHORTEST, _SHORTEST_JOINED = 3, 6
"""Characters of one word that counts as a name: shorter ones are parts of everything."""

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
            f"INSERT INTO {TABLE} SELECT mark, words, pseudonym, 0 FROM read_parquet('{literal(str(file))}') "
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
            f"COPY (SELECT {columns} FROM {TABLE} GROUP BY mark ORDER BY mark) TO '{literal(str(temporary))}' "
            "(FORMAT parquet)"
        )
        temporary.chmod(0o600)
        file.unlink(missing_ok=True)
        appear(temporary, file)
        self.saved = self.newest(con)

    def learn(self, con: duckdb.DuckDBPyConnection, resource: Resource, relation: str) -> None:
        """Remember the people in a relation that has the table's columns in clear; nothing where it tells of none."""
        parts = list(_spellings(resource, relation))
        if not parts:
            return
        spelt = f"SELECT DISTINCT words, pseudonym FROM ({' UNION ALL '.join(parts)}) WHERE {_telling()}"
        # the first words once more, as those a text is searched for before anything longer
        marks = (
            "SELECT array_to_string(words, ' ') AS spelling, len(words) AS n, pseudonym FROM spelt "
            "UNION ALL SELECT words[1], 0, NULL FROM spelt"
        )
        con.execute(
            f"INSERT INTO {TABLE} WITH spelt AS ({spelt}), marks AS ({marks}) "
            "SELECT mark, n, pseudonym, nextval('memory.main.people_order') FROM ("
            "SELECT memory.main.people_mark(spelling, n) AS mark, n, min(pseudonym) AS pseudonym "
            "FROM (SELECT DISTINCT spelling, n, pseudonym FROM marks) GROUP BY ALL) "
            f"WHERE mark NOT IN (SELECT mark FROM {TABLE})"
        )

    def newest(self, con: duckdb.DuckDBPyConnection) -> int:
        """A number that grows with everybody who becomes known; 0 where nobody did since the list was loaded."""
        ((found,),) = con.execute(f"SELECT coalesce(max(place), 0) FROM {TABLE}").fetchall()
        return int(found)


def tells_of_people(resource: Resource) -> bool:
    """Whether a table has columns from which people become known."""
    return any(column.names for column in resource.columns)


def _spellings(resource: Resource, relation: str) -> Iterator[str]:
    """Queries for lists of folded words and the pseudonym of the value that they spell."""
    where = f" AND {_PERSONS_UID}" if any(c.name == "uid" for c in resource.columns) else ""
    for column in resource.columns:
        if column.names:
            value = f'"{column.name}"'
            rows = f"SELECT DISTINCT {value} AS v FROM {relation} WHERE NOT starts_with({value}, '_'){where}"
            for words in _words(column):
                yield f"SELECT {words} AS words, memory.main.mask_person(v) AS pseudonym FROM ({rows})"


def _words(column: Column) -> Iterator[str]:
    whole = "memory.main.people_words(v)"
    if column.names is Names.ADDRESS:
        yield whole
        whole = "memory.main.people_words(split_part(v, chr(64), 1))"
    yield whole
    yield f"CASE WHEN len({whole}) > 1 THEN [array_to_string({whole}, '')] END"
    if column.names is Names.FULL_NAME:
        yield f"CASE WHEN len({whole}) = 2 THEN [{whole}[2], {whole}[1]] END"
        yield f"CASE WHEN len({whole}) > 2 THEN [{whole}[1], {whole}[-1]] END"
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
