"""What a statement that fails is told: the nearest name, and under privacy no value."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import run
from reads_home import device, publish

from kandji_queries.catalog.params import CliText, read_cli_value, readings
from kandji_queries.reader import Reader
from kandji_queries.workers.pool import WorkerPool
from kandji_schema.errors import Failed, Refused

NEEDLE = "Ada Lovelace's Mac"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    publish(home, {"devices": [device(1, device_name=NEEDLE), device(2)], "apps": [{"device_id": "d1", "name": "z"}]})
    return home


@pytest.fixture(scope="module")
def reader(home: Path) -> Iterator[Reader]:
    with Reader(home) as reader:
        yield reader


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT os FROM devices", "There is no column 'os' in devices. Did you mean devices.os_version?"),
        ("SELECT d.serial FROM devices AS d", "in devices. Did you mean devices.serial_number?"),
        ("SELECT count(*) FROM fleet WHERE emial = 'x'", "There is no column 'emial' in fleet. Did you mean fleet."),
        ("SELECT * EXCLUDE (nope) FROM devices", "'nope' in devices. devices has device_id, device_name, model, "),
        ("SELECT * FROM devices JOIN apps USING (devic_id)", "run: SELECT * FROM devices JOIN apps USING (device_id)"),
        ("PIVOT devices ON plattform USING count(*)", "Did you mean devices.platform?"),
    ],
)
def test_a_column_that_is_not_there_is_told_the_nearest(reader: Reader, sql: str, expected: str) -> None:
    with pytest.raises(Failed) as failed:
        reader.run(sql)
    assert expected in str(failed.value)


def test_other_troubles_of_names_keep_the_words_of_the_engine(reader: Reader) -> None:
    with pytest.raises(Failed, match="Binder error") as failed:
        reader.run("WITH c AS (SELECT 1 AS x) SELECT y FROM c")
    assert '"x"' in str(failed.value)


def test_a_column_of_several_tables_is_told_with_each(reader: Reader) -> None:
    with pytest.raises(Failed, match=r"write devices\.device_id or apps\.device_id\."):
        reader.run("SELECT device_id FROM devices JOIN apps ON true")


TELLING = (
    "SELECT device_name::INTEGER FROM devices",
    "SELECT strptime(device_name, '%Y') FROM devices",
    "SELECT json_extract(device_name, '$.a') FROM devices",
    "SELECT date_trunc(device_name, now()) FROM devices",
    "SELECT regexp_matches('x', device_name || '(') FROM devices",
    "SELECT device_name::DECIMAL(4, 1) FROM devices",
    "SELECT device_name::BOOLEAN FROM devices",
    "SELECT device_name::TIMESTAMP FROM devices",
    "SELECT device_name::UUID FROM devices",
    "SELECT device_name::INTEGER[] FROM devices",
    "SELECT map([device_name, device_name], [1, 2]) FROM devices",
    "SELECT device_name::ENUM('a') FROM devices",
    "SELECT nope FROM (PIVOT devices ON device_name USING count(*))",
    "SELECT x.nope FROM (PIVOT devices ON device_name USING count(*)) AS x",
    "FROM (PIVOT (SELECT device_name, 1 AS n FROM devices) ON device_name USING sum(n)) SELECT sum(COLUMNS('^nope'))",
)
"""Statements whose errors repeat a cell, in the engine's words."""


def test_under_privacy_no_error_repeats_a_value(home: Path, reader: Reader) -> None:
    told = 0
    with Reader(home, values_in_errors=False) as quiet:
        for sql in TELLING:
            with pytest.raises(Failed) as loud:
                reader.run(sql)
            with pytest.raises(Failed) as failed:
                quiet.run(sql)
            told += NEEDLE[:5] in str(loud.value)
            assert NEEDLE[:5] not in str(failed.value), sql
    assert told >= 8, "these statements no longer show what they are there to show"


def test_a_process_of_its_own_keeps_values_to_itself_too(home: Path) -> None:
    with WorkerPool(home, values_in_errors=False) as workers, pytest.raises(Failed, match="TRY_CAST") as failed:
        workers.run("SELECT device_name::INTEGER FROM devices")
    assert NEEDLE[:5] not in str(failed.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", "7"),
        ("true", "true"),
        ("C02", "C02"),
        ("007", "007"),
        ("NaN", "NaN"),
        ("", ""),
        ("null", None),
        ('["a", 1]', ["a", 1]),
        ('{"a": null}', {"a": None}),
        ('"null"', "null"),
        ("[torn", "[torn"),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_a_value_on_the_command_line_is_read(text: str, value: object) -> None:
    assert read_cli_value(text) == value


def test_texts_that_are_numbers_are_read_as_numbers_in_second_place() -> None:
    values = {"a": CliText("7"), "b": CliText("true"), "c": CliText("007"), "d": "7", "e": None}

    assert list(readings(values)) == [values, {"a": 7, "b": True, "c": "007", "d": "7", "e": None}]
    assert list(readings({"d": "7"})) == [{"d": "7"}]


@pytest.mark.parametrize(
    ("sql", "value", "expected"),
    [
        ("SELECT count(*) FROM devices WHERE device_id = $x", "d1", 1),
        ("SELECT count(*) FROM devices WHERE serial_number = $x OR asset_tag = $x", "123", 0),
        ("SELECT count(*) FROM devices WHERE length(device_name) > $x", "10", 1),
        ("SELECT $x + 1", "41", 42),
        ("SELECT count(*) FROM range($x)", "3", 3),
        ("SELECT sum(i) FROM (SELECT i FROM range(10) AS t(i) LIMIT $x)", "3", 3),
        ("SELECT count(*) FROM devices WHERE last_check_in > $x", "2020-01-01", 2),
        ("SELECT count(*) FROM devices WHERE last_check_in > now()::TIMESTAMP - INTERVAL 1 DAY * $x", "9999", 2),
        ("SELECT count(*) FROM devices WHERE is_missing = $x", "false", 2),
        ("SELECT count(*) FROM devices WHERE device_id IN $x", '["d1", "d2"]', 2),
        ("SELECT version_key('15.10') = version_key($x)", "15.10", True),
        ("SELECT $x IS NULL", "null", True),
        ("SELECT $X", "x'); DROP VIEW devices; --", "x'); DROP VIEW devices; --"),
    ],
)
def test_a_value_fits_where_it_is_used(reader: Reader, sql: str, value: str, expected: object) -> None:
    with reader.stream(sql, {"x": read_cli_value(value)}) as answer:
        assert list(answer) == [(expected,)]


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT 1", r"no parameter \$x; it has none"),
        ("SELECT $y", r"no parameter \$x; it has \$y"),
        ("SELECT $x, $y", r"\$y has no value"),
    ],
)
def test_a_parameter_that_does_not_fit_the_statement_is_named(reader: Reader, sql: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        reader.run(sql, {"x": 1})


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT levenshtein(repeat('a', 200000), repeat('b', 200000))", "stopped after its 1 seconds"),
        ("SELECT len(range((1e5 * 1e4)::BIGINT))", "more memory than it may use"),
    ],
)
def test_one_greedy_call_ends_the_command_soon(home: Path, sql: str, words: str) -> None:
    began = time.monotonic()
    ended = run(home, "sql", sql, KANDJI_MIRROR_QUERY_SECONDS="1")

    assert (ended.returncode, ended.stdout) == (5, "")
    assert words in ended.stderr
    assert time.monotonic() - began < 30, "the statement alone takes minutes"
