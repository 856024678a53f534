"""The guard reads names and blanks as the engine does, whatever Python makes of the characters."""

import sys
import unicodedata
from collections.abc import Iterator

import duckdb
import pytest
from reads_home import small_fleet

from kandji_queries.engine.limits import QueryLimits
from kandji_queries.engine.lockdown import empty_engine
from kandji_queries.guard.functions import allowed
from kandji_queries.guard.statements import Guard
from kandji_queries.reader import Reader
from kandji_schema.errors import Failed, MirrorError, Refused
from kandji_schema.sql import fold_name, plain_blanks

LIMITS = QueryLimits(memory_mb=256, seconds=5)
LONG_S = "\u017f"
LIKE_ASCII = {"s": LONG_S, "k": "\u212a", "i": "\u0131", "ss": "ß", "fi": "ﬁ"}
EVERYTHING = [chr(code) for code in range(1, sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF]


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with empty_engine(LIMITS) as engine:
        yield engine


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    home = tmp_path_factory.mktemp("home")
    small_fleet(home)
    with Reader(home, LIMITS, second_opinion=True) as reader:
        yield reader


def _other_spellings(character: str) -> set[str]:
    forms = {unicodedata.normalize(form, character) for form in ("NFC", "NFD", "NFKC", "NFKD")}
    return {character.casefold(), character.lower(), character.upper(), character.title(), *forms} - {character}


def _pairs() -> Iterator[tuple[str, str]]:
    """What some folding of Python takes for one: all of other case in ASCII, and a sample of the others."""
    pairs = ((odd, plain) for odd in EVERYTHING for plain in sorted(_other_spellings(odd)))
    for number, (odd, plain) in enumerate(pairs):
        if number % 250 == 0 or (plain.isascii() and plain in {odd.casefold(), odd.lower(), odd.upper()}):
            yield odd, plain


def _runs(engine: duckdb.DuckDBPyConnection, sql: str, params: dict[str, int] | None = None) -> bool:
    try:
        engine.execute(sql, params).fetchall()
    except duckdb.Error:
        return False
    return True


def _passes(guard: Guard, sql: str, params: tuple[str, ...] = ()) -> bool:
    try:
        guard.check(sql, (), params)
    except (Refused, Failed):
        return False
    return True


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@pytest.mark.heavy
def test_a_name_is_a_ctes_to_the_guard_where_it_is_to_the_engine(engine: duckdb.DuckDBPyConnection) -> None:
    guard = Guard(engine.cursor)
    differing = []
    for odd, plain in _pairs():
        for made, read in ((odd, plain), (plain, odd)):
            sql = f"WITH {_quoted(f'x{made}')} AS (SELECT 1) FROM {_quoted(f'x{read}')}"
            if _passes(guard, sql) != _runs(engine, sql):
                differing.append(sql)
    assert not differing


@pytest.mark.parametrize(
    "form",
    [
        "WITH x{made} AS (SELECT 1) FROM x{read}",
        "WITH RECURSIVE x{made} AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM x{read} WHERE n < 3) FROM x{made}",
        "WITH x{made} AS (SELECT 1 AS n) PIVOT x{read} ON n IN (1) USING count(*)",
        "WITH x{made} AS (SELECT 1 AS n) SELECT * FROM (DESCRIBE FROM x{read})",
    ],
)
def test_unquoted_names_of_ctes_are_the_engines_too(engine: duckdb.DuckDBPyConnection, form: str) -> None:
    guard = Guard(engine.cursor)
    letters = {
        *LIKE_ASCII.items(),
        ("é", "É"),
        ("é", "e\u0301"),
        ("å", "\u212b"),
        ("i\u0307", "İ"),
        ("k", "K"),
        ("s", "S"),
    }
    statements = [form.format(made=a, read=b) for pair in letters for a, b in (pair, pair[::-1], (pair[0], pair[0]))]
    assert [_passes(guard, sql) for sql in statements] == [_runs(engine, sql) for sql in statements]
    assert any(_passes(guard, sql) for sql in statements)


def test_a_parameter_has_the_name_that_the_engine_binds(engine: duckdb.DuckDBPyConnection) -> None:
    guard = Guard(engine.cursor)
    for plain, odd in (*LIKE_ASCII.items(), ("é", "É"), ("s", "S"), ("K", "k")):
        for asked, given in ((plain, odd), (odd, plain), (odd, odd)):
            bound = _runs(engine, f"SELECT $x{asked}", {f"x{given}": 1})
            assert _passes(guard, f"SELECT $x{asked}", (f"x{given}",)) == bound, (asked, given)


@pytest.mark.heavy
def test_no_function_is_allowed_by_a_name_that_only_looks_like_its_own(engine: duckdb.DuckDBPyConnection) -> None:
    guard = Guard(engine.cursor)
    disguised = [name.replace(a, b) for name in allowed() for a, b in LIKE_ASCII.items() if a in name]
    assert len(disguised) > 100
    assert not [name for name in disguised if _passes(guard, f"SELECT {_quoted(name)}(1)")]
    assert not _passes(guard, f'SELECT current_user, 1 AS "current_u{LONG_S}er"')
    assert not _passes(guard, f'FROM "generate_{LONG_S}eries"(3)')


@pytest.mark.parametrize(
    ("made", "read"),
    [
        (f'"duckdb_database{LONG_S}"', "duckdb_databases"),
        (f"duckdb_database{LONG_S}", '"DUCKDB_DATABASES"'),
        ('"\u212aeywords"', "keywords"),
        (f'"duckdb_secret{LONG_S}"', "duckdb_secrets"),
    ],
)
def test_a_cte_does_not_open_the_catalogue_by_a_look_alike(reader: Reader, made: str, read: str) -> None:
    with pytest.raises(Refused) as refused:
        reader.run(f"WITH {made} AS (SELECT 1) FROM {read}")
    assert refused.value.rule == "table"


@pytest.mark.parametrize("read", ["devices", "DEVICES", '"devices"', "main.devices", "memory.main.devices"])
def test_an_answer_is_dated_by_the_table_it_read_beside_a_look_alike(reader: Reader, read: str) -> None:
    plain = reader.run("SELECT count(*) FROM devices")
    dressed = reader.run(f'WITH "device{LONG_S}" AS (SELECT 1) SELECT count(*) FROM {read}')
    assert dressed.rows == plain.rows
    assert dressed.as_of == plain.as_of


def test_a_table_is_described_and_exported_by_its_own_name_only(reader: Reader) -> None:
    assert reader.describe("DEVICES").info.name == "devices"
    with pytest.raises(MirrorError, match="There is no table"):
        reader.describe(f"device{LONG_S}")


def test_the_engines_blanks_are_ours(engine: duckdb.DuckDBPyConnection) -> None:
    candidates = [
        c for c in EVERYTHING if unicodedata.category(c)[0] in "CZ" and unicodedata.category(c) not in ("Cn", "Co")
    ]
    blanks = {c for c in candidates if _runs(engine, f"SELECT{c}1")}
    assert blanks == {c for c in candidates if plain_blanks(c) == " " or c in "\t\n\v\f\r"}
    assert {"\u00a0", "\u200b", "\ufeff"} < blanks


def test_a_strange_blank_hides_no_analyze(reader: Reader) -> None:
    forms = (
        "EXPLAIN{0}ANALYZE SELECT 1",
        "{0}EXPLAIN{0}ANALYZE{0}SELECT 1",
        "EXPLAIN (FORMAT json,{0}ANALYZE{0}) SELECT 1",
    )
    for blank_ in ("\u00a0", "\u2003", "\u200b", "\u2060", "\ufeff", "\t", "/* */", " /* /* */ */ "):
        for form in forms:
            with pytest.raises(Refused) as refused:
                reader.run(form.format(blank_))
            assert refused.value.rule == "explain analyze", (form, blank_)
        assert reader.run(f"EXPLAIN{blank_}SELECT 1").row_count


def test_a_strange_blank_changes_no_pivot(reader: Reader) -> None:
    plain = reader.run("PIVOT devices ON platform USING count(*) GROUP BY blueprint_name ORDER BY ALL")
    for blank_ in ("\u00a0", "\u200b", "\ufeff"):
        sql = "PIVOT devices ON platform{0}USING{0}count(*) GROUP{0}BY blueprint_name ORDER BY ALL"
        assert reader.run(sql.format(blank_)).rows == plain.rows


def test_folding_changes_only_the_letters_a_to_z() -> None:
    assert {c for c in EVERYTHING if fold_name(c) != c} == set("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
