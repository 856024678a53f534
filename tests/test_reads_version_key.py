"""``version_key`` orders versions the way people mean it."""

# ruff: noqa: RUF001  # characters that look like others are part of what this is about

from collections.abc import Iterator

import duckdb
import pytest

from kandji_queries.definitions import macros

ORDERED = (
    ("7.9", "<", "7.10"),
    ("7.9", "=", "7.9.0"),
    ("9.9", "<", "10.0"),
    ("14", "=", "14.0.0"),
    ("13.6.9", "<", "13.6.10"),
    ("131.0.6778.86", "<", "131.0.6778.205"),
    ("2024.2.9", "<", "2024.11.1"),
    ("1", "<", "20241101123456789"),
    ("007.1", "=", "7.1"),
    ("1.2.3.4.5.6.7.8", "<", "1.2.3.4.5.6.7.9"),
    ("2.0.9", "<", "v2.1"),
    ("V2.1", "=", "2.1"),
    ("Version 3.2", "=", "3.2"),
    ("  14.1 ", "=", "14.1"),
    ("16.89", "<", "16.89 (24090815)"),
    ("16.89 (24090815)", "<", "16.89.1"),
    ("7.1.7 (13891)", "=", "7.1.7.13891"),
    ("7.1.7 (13890)", "<", "7.1.7.13891"),
    ("12.3, build 45", "=", "12.3 (Build 45)"),
    ("1.8.0_332", "<", "1.8.0_392"),
    ("1.8.0_332-b09", "<", "1.8.0_332-b10"),
    ("1.8.0_392", "<", "1.8.0_402-b06"),
    ("8u392", "=", "8 Update 392"),
    ("6,0,0,5", "<", "6, 1, 0, 0"),
    ("1.2.3-1", "<", "1.2.3-2"),
    ("2024-11-01", "<", "2024-11-20"),
    ("1.9.5", "<", "1.9.5p1"),
    ("1.9.5p1", "<", "1.9.5p2"),
    ("9.6p1", "<", "9.7"),
    ("2.0", "<", "2.0 SP1"),
    ("2.0 SP1", "<", "2.0 SP2"),
    ("1.1.1v", "<", "1.1.1w"),
    ("1.1.1", "<", "1.1.1a"),
    ("1.0.2z", "<", "1.0.2za"),
    ("R2024a", "<", "R2024b"),
    ("13.3.1", "<", "13.3.1 (a)"),
    ("13.3.1 (a)", "<", "13.3.1 (c)"),
    ("13.3.1 (c)", "<", "13.4"),
    ("4.0 Public Beta", "<", "4.0"),
    ("4.0 Public Beta 2", "<", "4.0 Public Beta 3"),
    ("4.0 (Beta 2)", "<", "4.0"),
    ("4.2 Release Candidate 2", "=", "4.2 RC2"),
    ("5.0.0~rc1", "<", "5.0.0"),
    ("3.0.0-preview.3.1", "<", "3.0.0-preview.3.2"),
    ("1.2.3.dev4", "<", "1.2.3"),
    ("1.2.3", "<", "1.2.3.post1"),
    ("2.0-M1", "<", "2.0-M2"),
    ("2021.3.5b3", "<", "2021.3.5f1"),
    ("2021.3.5f1", "<", "2021.3.5p1"),
    ("115.0esr", "=", "115.0"),
    ("11.0.19+7-LTS", "<", "11.0.20+8"),
    ("8.0.33-arm64", "=", "8.0.33"),
    ("8.0.33-64bit", "<", "8.0.34-64bit"),
    ("14.1 (23B74)", "<", "14.1 (23B81)"),
    ("14.1 (23B5056e)", "<", "14.1 (23B74)"),
    ("23B81", "<", "23C64"),
    ("1.0 beta (12)", "<", "1.0 beta (13)"),
    ("16.88 (999)", "<", "16.89 (1)"),
    ("4.5.9 (5160)", "<", "4.5.9 (5161)"),
    ("1.0.0+build5", "<", "1.0.0+build6"),
    ("1.0.0+7", "<", "1.0.1+6"),
    ("91.6.0-beta.1", "<", "91.6.0"),
    ("91.6.0-beta.1", "<", "91.6.0-beta.2"),
    ("91.6.0-beta.9", "<", "91.6.0-beta.10"),
    ("91.5.9", "<", "91.6.0-beta.1"),
    ("1.2.3rc1", "<", "1.2.3"),
    ("1.2.3-beta.9", "<", "1.2.3-rc.1"),
    ("1.0 alpha 2", "<", "1.0 beta 1"),
    ("1.0-dev", "<", "1.0-alpha"),
    ("1.0a2", "=", "1.0 alpha 2"),
    ("1.0b9", "<", "1.0b10"),
    ("1.85.2b4", "<", "1.85.2"),
    ("1.0rc", "<", "1.0rc1"),
    ("6.0 Beta", "<", "6.0"),
    ("1.0-SNAPSHOT", "<", "1.0"),
    ("4.12.0-rc2", "<", "4.12.0-rc10"),
    ("3.1 preview", "<", "3.1"),
    ("4.0 Bêta", "<", "4.0"),
    ("4.0 BÊTA 2", "=", "4.0 beta 2"),
    ("４.０ Ｂｅｔａ", "<", "4.0"),
    ("4．1", "<", "4.2"),
    ("4.0 𝐁eta 𝟐", "<", "4.0 beta 3"),
    ("4.0\u00a0Beta\u200b 2", "=", "4.0 beta 2"),
    ("4.0–beta", "<", "4.0"),
    ("4.0™", "=", "4.0"),
    ("4.0 бета", "<", "4.1"),
    ("4.0 公開ベータ", ">", "3.9.9"),
    ("4.0 бета 2 (5)", "=", "4.0 бета 2 (5)"),
    ("5.2 (M1)", "<", "5.3 (M1)"),
    ("5.2 (M1)", "=", "5.2.0 (M1)"),
    ("4.0 Beta EN", "<", "4.0"),
    ("4.0-rc1-blue", "<", "4.0-rc2-red"),
    ("4.0 Developer", "=", "4.0 Development"),
    ("4.0 pre-release 2", "<", "4.0 prerelease 3"),
    ("26.1 Beta (25B5042k)", "<", "26.1 Beta (25B5057f)"),
    ("26.1 Beta (25B5057e)", "<", "26.1 Beta (25B5057f)"),
    ("26.1 Beta (25B5042k)", "<", "26.1 (25B5057f)"),
    ("26.1 (25B5042k)", "<", "26.1 Public Beta (25B5057f)"),
    ("26.1 (25B5057f)", "=", "26.1 Public Beta (25B5057f)"),
    ("26.1 Beta 2 (25B5057f)", "<", "26.1 Beta 3 (25B5101a)"),
    ("26.1 Beta 2 (25B5057f)", "<", "26.1 Beta 3"),
    ("26.1 Beta 2 (25B5057f)", "<", "26.1"),
    ("26.1 Beta (25B5057f)", "<", "26.1 (25B78)"),
    ("26.1 (25B5057f)", "<", "26.1 RC (25B77)"),
    ("26.1 RC (25B77)", "<", "26.1 RC (25B78)"),
)


@pytest.fixture(scope="module")
def shell() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as shell:
        for macro in macros().values():
            shell.execute(macro.sql)
        yield shell


def test_the_order_is(shell: duckdb.DuckDBPyConnection) -> None:
    lefts, signs, rights = zip(*ORDERED, strict=True)
    compare = "CASE WHEN a < b THEN '<' WHEN a = b THEN '=' WHEN a > b THEN '>' END"
    keys = "(SELECT l, r, version_key(l) AS a, version_key(r) AS b FROM pairs)"
    pairs = "WITH pairs AS (SELECT unnest($lefts) AS l, unnest($rights) AS r)"
    found = shell.execute(f"{pairs} SELECT l, {compare}, r FROM {keys}", {"lefts": lefts, "rights": rights}).fetchall()
    assert found == list(zip(lefts, signs, rights, strict=True))


TOO_LONG = "9" * 39


@pytest.mark.parametrize(
    "text", [None, "", " ", "abc", "-", "unknown", "(12)", "beta 2", "v", "1" * 60, f"1.{TOO_LONG}", f"v{TOO_LONG}"]
)
def test_what_is_no_version_has_no_key(shell: duckdb.DuckDBPyConnection, text: str | None) -> None:
    assert shell.execute("SELECT version_key($text)", {"text": text}).fetchone() == (None,)


UNORDERED = (
    ("2.0-blue", "2.0-red"),
    ("2.0-blue", "2.0"),
    ("1.2.3-gabc1234", "1.2.3-gdef5678"),
    ("1.0 patch 1", "1.0 update 1"),
    ("2.0+blue", "2.0+red"),
    ("2.0-blue", "2.0 SP1"),
    ("2.0-blue", "2.0 (12)"),
    ("2.0 (12) Beta", "2.0"),
    # other scripts
    ("4.0 公開ベータ", "4.0"),
    ("4.0 бета", "4.0"),
    ("4.0 бета", "4.0 beta 2"),
    ("4.0 бета", "4.0 (12)"),
    ("4.0 бета", "4.0 release"),
    ("4.0 бета 2", "4.0 бета 3"),
    ("4.0 α", "4.0"),
    ("4.0 α", "4.0 β"),
    ("4.0α", "4.0"),
    ("4.0 测试版", "4.0"),
    ("4.0 测试版", "4.0 正式版"),
    ("4.0 베타", "4.0"),
    ("4.0 बीटा", "4.0"),
    ("4.0 تجريبي", "4.0"),
    ("4.0 Βeta", "4.0"),  # a Greek capital
    ("1.0а", "1.0b"),  # a Cyrillic letter
    ("4.0+бета", "4.0"),
    ("4.0 🚀", "4.0"),
    ("4.0 🍎", "4.0 🍏"),
    # numbers that are no digits
    ("1.0 ①", "1.0 ②"),
    ("1.0①", "1.0"),
    ("1.0²", "1.0"),
    ("1.0₂", "1.0₃"),
    ("1.0 ⅳ", "1.0 ⅴ"),
    ("1.0Ⅳ", "1.0"),
    ("1.0 ½", "1.0"),
    ("1.0 ㈠", "1.0"),
    ("١٢", "12"),
    ("1.٢", "1.1"),
    ("4.0 ١", "4.0 ٢"),
    # editions, languages, processors
    ("4.0 EN", "4.0 FR"),
    ("4.0 EN", "4.0"),
    ("4.0 (EN)", "4.0 (FR)"),
    ("4.0EN", "4.0FR"),
    ("4.0 v", "4.0"),
    ("4.0 v2", "4.0"),
    ("4.0 X", "4.0"),
    ("4.0 Premium", "4.0"),
    ("4.0 Device", "4.0"),
    ("2.0 TPM", "2.0"),
    ("5.2 (M1)", "5.2"),
    ("5.2 M1", "5.2"),
    ("5.2 [M2]", "5.2 [M1]"),
    ("5.2 (A14)", "5.2"),
    ("5.2 (M1)", "5.2 (Intel)"),
    # patches with something of their own
    ("1.0 Patch 1a", "1.0 Patch 1b"),
    ("1.0 Patch 1a", "1.0 Patch 1"),
    ("1.9.5 (100)", "1.9.5p1"),
    # which beta that is
    ("4.0 Public Beta", "4.0 Beta (25B5057f)"),
    ("4.0 Beta 2", "4.0 Beta (25B5057f)"),
    ("4.0 Beta (12)", "4.0 Beta (25B5057f)"),
    ("4.0 Beta (12)", "4.0 Beta"),
    ("4.0 Alpha (25B5057f)", "4.0 Beta (25B5042k)"),
    ("14.1 (23B74)", "14.1 (12)"),
    ("unknown", "1.0"),
    ("1.0", ""),
    (None, "1.0"),
)
"""Pairs of which nobody can say which one is newer."""


def test_what_cannot_be_ordered_is_neither_below_nor_not(shell: duckdb.DuckDBPyConnection) -> None:
    lefts, rights = zip(*UNORDERED, strict=True)
    pairs = "(SELECT unnest($lefts) AS l, unnest($rights) AS r)"
    both = f"SELECT l, r, version_below(l, r), version_below(r, l) FROM {pairs}"
    found = shell.execute(both, {"lefts": lefts, "rights": rights}).fetchall()
    assert found == [(left, right, None, None) for left, right in UNORDERED]


def test_five_and_a_circled_two_are_not_fifty_two(shell: duckdb.DuckDBPyConnection) -> None:
    assert shell.execute("SELECT version_below('1.5②', '1.6'), version_below('1.5²', '1.6')").fetchone() == (True, True)


def test_a_word_that_orders_nothing_does_not_hide_an_older_version(shell: duckdb.DuckDBPyConnection) -> None:
    assert shell.execute("SELECT version_below('1.9-blue', '2.0-red')").fetchone() == (True,)


def test_a_text_of_nothing_but_numbers_has_the_key_of_the_whole_grammar(shell: duckdb.DuckDBPyConnection) -> None:
    texts = ["7", "7.9", "131.0.6778.86", "1.2.3.4.5.6.7.8.9.10.11.12", "9" * 38]
    asked = "SELECT version_key(t) = version_key('v' || t) FROM (SELECT unnest($texts) AS t)"
    assert shell.execute(asked, {"texts": texts}).fetchall() == [(True,)] * len(texts)
