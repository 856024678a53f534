"""One folding for all search: Python and SQL agree on it, character by character."""

# ruff: noqa: RUF001  # characters that look like others are what this is about

import unicodedata
from collections.abc import Iterator

import duckdb
import pytest

from kandji_queries.definitions import macros
from kandji_schema.text import fold_identifier, fold_text

ALIKE = (
    ("Zoe Lopez", "Zoë López", "ZOE\u0308  LO\u0301PEZ", "\u00a0zoe\u202flopez\t", "Ｚｏｅ　Ｌｏｐｅｚ", "𝓩𝓸𝓮 𝕷𝖔𝖕𝖊𝖟"),
    (
        "quentin's macbook air",
        "Quentin\u2019s MacBook Air",
        "QUENTIN\u02bcS MACBOOK AIR",
        "Quentin`s\u200b Mac\u00adBook Air",
    ),
    ("MAC-79 東京", "ＭＡＣ-79 東京", "mac\u201179 東京", "Mac\u201379\u3000東京", "MAC－79 東京"),
    ("istanbul", "İSTANBUL", "ıstanbul", "I\u0307stanbul"),
    ("strasse", "Straße", "STRASSE", "STRAẞE", "ﬅraſse"),
    ("office flow", "oﬃce ﬂow"),
    ("søren ærø łódź þór đỗ", "soren aero lodz thor do"),
    ("カタカナ", "ｶﾀｶﾅ", "ガタカナ", "ｶﾞﾀｶﾅ"),
    ("οδοσ", "ΟΔΟΣ", "Οδός"),
    ("(株) 10 1/2 kg tm", "㈱ ⑩ 1⁄2 ㎏ ™"),
    ('say "hi"...', "say “hi”…"),
)
IDENTIFIERS = (
    ("J7P089J2WKT6", "j7p0 89j2-wkt6", "Ｊ７Ｐ０８９Ｊ２ＷＫＴ６", "j7p0\u201189j2\u00a0wkt6"),
    ("3c:22:fb:01:0a:9e", "3C-22-FB-01-0A-9E", "3c22.fb01.0a9e"),
    ("35 209900 176148 1", "352099001761481"),
)
FOLDED = "SELECT text, folded(text), coalesce(folded_id(text), '') FROM texts"


@pytest.fixture(scope="module")
def shell() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as shell:
        for macro in macros().values():
            shell.execute(macro.sql)
        yield shell


def of_all(shell: duckdb.DuckDBPyConnection, texts: list[str]) -> list[tuple[str, str, str]]:
    shell.execute("CREATE OR REPLACE TABLE texts AS SELECT unnest($1::VARCHAR[]) AS text", [texts])
    return shell.execute(FOLDED).fetchall()


def test_what_people_take_for_the_same_is_folded_to_the_same(shell: duckdb.DuckDBPyConnection) -> None:
    for group in ALIKE:
        folded = {row[1] for row in of_all(shell, list(group))}
        assert folded == {fold_text(text) for text in group}, group
        assert len(folded) == 1, group
    for group in IDENTIFIERS:
        folded = {row[2] for row in of_all(shell, list(group))}
        assert folded == {fold_identifier(text) for text in group}, group
        assert len(folded) == 1, group


def test_what_differs_stays_different() -> None:
    for one, other in (("MAC-79", "MAC-97"), ("Zoe", "Zoes"), ("mac book", "macbook"), ("東京", "京都"), ("a", "ａｂ")):
        assert fold_text(one) != fold_text(other)


@pytest.mark.heavy
def test_python_and_the_engine_fold_every_character_alike(shell: duckdb.DuckDBPyConnection) -> None:
    """Alone, and between others, where marks combine and blanks meet; characters of the oldest Unicode of the two."""
    known = [chr(code) for code in range(1, 0x30000) if unicodedata.ucd_3_2_0.category(chr(code)) not in ("Cn", "Cs")]
    texts = [text for one in known for text in (one, f"É {one}ß")]
    texts += ["".join(known[start : start + 7]) for start in range(0, len(known), 7)]
    texts += [f"{a} {b}" for a, b in zip(known, reversed(known), strict=True)]
    differing = [row for row in of_all(shell, texts) if row[1:] != (fold_text(row[0]), fold_identifier(row[0]))]
    assert differing == []


def test_folding_a_folded_text_changes_nothing(shell: duckdb.DuckDBPyConnection) -> None:
    once = [fold_text(chr(code)) for code in range(1, 0x20000) if unicodedata.category(chr(code)) not in ("Cn", "Cs")]
    assert [text for text in once if fold_text(text) != text] == []


def test_nothing_stays_nothing(shell: duckdb.DuckDBPyConnection) -> None:
    rows = shell.execute("SELECT folded(NULL), folded(''), folded(' \u200b'), folded_id('-: .'), folded(12)").fetchall()
    assert rows == [(None, "", "", None, "12")]
