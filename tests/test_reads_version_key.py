"""``version_key`` orders versions the way people mean it."""

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
    ("16.89 (24090815)", "=", "16.89"),
    ("16.88 (999)", "<", "16.89 (1)"),
    ("4.5.9 (5160)", "=", "4.5.9 (5161)"),
    ("1.0.0+build5", "=", "1.0.0"),
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
)


@pytest.fixture(scope="module")
def shell() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as shell:
        shell.execute(macros()["version_key"].sql)
        yield shell


@pytest.mark.parametrize(("left", "sign", "right"), ORDERED)
def test_the_order_is(shell: duckdb.DuckDBPyConnection, left: str, sign: str, right: str) -> None:
    compare = "SELECT CASE WHEN a < b THEN '<' WHEN a = b THEN '=' WHEN a > b THEN '>' END"
    keys = "FROM (SELECT version_key($left) AS a, version_key($right) AS b)"
    assert shell.execute(f"{compare} {keys}", {"left": left, "right": right}).fetchone() == (sign,)


@pytest.mark.parametrize("text", [None, "", " ", "abc", "-", "unknown", "(12)", "beta 2", "v", "1" * 60])
def test_what_is_no_version_has_no_key(shell: duckdb.DuckDBPyConnection, text: str | None) -> None:
    assert shell.execute("SELECT version_key($text)", {"text": text}).fetchone() == (None,)
