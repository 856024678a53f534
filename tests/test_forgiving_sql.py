"""SQL that forgives: what was meant is told where a statement cannot be run, and mostly the statement that can."""

import re
import time
from collections.abc import Iterator

import pytest
from reads_home import small_fleet

from kandji_queries.advice.dialects import FUNCTIONS
from kandji_queries.reader import Reader
from kandji_schema.errors import StatementError


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    home = tmp_path_factory.mktemp("home")
    small_fleet(home)
    with Reader(home) as reader:
        yield reader


def error(reader: Reader, sql: str) -> str:
    with pytest.raises(StatementError) as found:
        reader.run(sql)
    return str(found.value)


MENDED = [
    ("SELECT serial FROM fleet LIMIT 3", "SELECT serial_number FROM fleet LIMIT 3"),
    ("SELECT platfrom, Serail_number FROM fleet", "SELECT platform, serial_number FROM fleet"),
    ('SELECT "platfrom" FROM fleet GROUP BY platfrom', "SELECT platform FROM fleet GROUP BY platform"),
    ("SELECT f.serial AS é FROM fleet AS f", "SELECT f.serial_number AS é FROM fleet AS f"),
    ('SELECT 1 FROM devices WHERE platform = "Mac"', "SELECT 1 FROM devices WHERE platform = 'Mac'"),
    ("SELECT filevault_on FROM devices", "SELECT filevault_on FROM fleet"),
    ("SELECT device_name, uptime FROM devices AS d", "SELECT device_name, uptime_days FROM fleet AS d"),
    ("SELECT x.name FROM apps AS a", "SELECT a.name FROM apps AS a"),
    (
        "SELECT a.status FROM devices AS d JOIN prism_filevault AS f USING (device_id)",
        "SELECT f.status FROM devices AS d JOIN prism_filevault AS f USING (device_id)",
    ),
    ("SELECT datediff(day, last_check_in, now()) FROM devices", "datediff('day', last_check_in, now())"),
    ("SELECT * FROM device", "SELECT * FROM devices"),
    ("SELECT * FROM filevault WHERE status", "SELECT * FROM prism_filevault WHERE status"),
    ("SELECT TOP 10 * FROM devices;", "SELECT * FROM devices LIMIT 10"),
    ("SELECT * FROM devices LIMIT 5, 10", "SELECT * FROM devices LIMIT 10 OFFSET 5"),
    ("SHOW COLUMNS FROM devices", "DESCRIBE devices"),
]


@pytest.mark.parametrize(("sql", "mended"), MENDED)
def test_the_statement_that_was_meant_is_told_and_runs(reader: Reader, sql: str, mended: str) -> None:
    said = [
        line.partition(": ")[2] for line in error(reader, sql).splitlines() if line.startswith(("This would", "Wri"))
    ]
    assert len(said) == 1
    assert mended in said[0]
    reader.run(said[0])


def test_a_table_that_was_not_opened_is_proposed_too(reader_of_few: Reader) -> None:
    assert "This would run: SELECT uptime_days FROM fleet" in error(reader_of_few, "SELECT uptime FROM devices")
    assert "This would run" not in error(reader_of_few, "SELECT uptime, api_level FROM devices")


@pytest.fixture(scope="module")
def reader_of_few(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """A reader as the command line has it: it opens what a statement names."""
    home = tmp_path_factory.mktemp("few")
    small_fleet(home)
    with Reader(home, lazy=True) as reader:
        yield reader


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT department FROM devices", "There is fleet.department or users.department"),
        ("SELECT department FROM devices", "devices has device_id, "),
        ("SELECT departmnt FROM devices", "fleet.department"),
        ("SELECT q.whatever FROM devices AS d", 'No table of the statement is called "q"; it has d (devices).'),
        ("SELECT * FROM stale_devices", "It is a named query"),
        ("SELECT getdate()", "Here it is now()"),
        ("SELECT nvl(device_name, 'x') FROM devices", "Here it is coalesce("),
        ("SELECT lenght('a')", "Did you mean length?"),
        ("SELECT 1 FROM devices WHERE os_version > 14", "version_below(os_version, '14.6')"),
        ("SELECT 1 FROM devices WHERE last_check_in > 7", "now() - INTERVAL 7 DAY"),
        ("SELECT 1 FROM devices WHERE last_check_in > '7 days'", "now() - INTERVAL 7 DAY"),
        ("SELECT 1 FROM devices WHERE tags = 'lab'", "list_contains(tags, 'lab')"),
        ("SELECT avg(os_version) FROM devices", "TRY_CAST(column AS DOUBLE)"),
        ("SELECT device_name, count(*) FROM devices", "GROUP BY ALL"),
        ("SELEC * FROM devices", "Did you mean SELECT instead of SELEC?"),
        ("SELECT * FROM devices WHER platform = 'Mac'", "Did you mean WHERE instead of WHER?"),
    ],
)
def test_the_error_says_what_to_write(reader: Reader, sql: str, words: str) -> None:
    assert words in error(reader, sql)


@pytest.mark.parametrize("sql", ["SELECT os FROM devices", "SELECT y FROM devices", "FROM '/etc/passwd'", "EXEC foo"])
def test_nothing_is_proposed_where_several_may_be_meant_or_none(reader: Reader, sql: str) -> None:
    said = error(reader, sql)
    assert "This would run" not in said
    assert "Write:" not in said


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT `device_name` FROM `devices`",
        "SELECT device_name, FROM devices LIMIT 1;",
        "SELECT 1 FROM devices WHERE is_missing = 'true' AND model ILIKE '%m%' AND last_check_in::DATE > '2020-01-01'",
        "SELECT group_concat(device_name), ifnull(min(model), '') FROM devices",
        "FROM devices WHERE last_check_in > now() - INTERVAL 7 DAY OR platform == 'Mac' FETCH FIRST 5 ROWS ONLY",
    ],
)
def test_what_other_dialects_write_works_where_it_means_the_same(reader: Reader, sql: str) -> None:
    reader.run(sql)


@pytest.mark.parametrize("instead", sorted({words.split(", or")[0].split(" or ")[0] for words in FUNCTIONS.values()}))
def test_what_is_told_to_write_instead_may_be_written(reader: Reader, instead: str) -> None:
    values = {
        **{"value": "1", "yes": "1", "no": "2", "seconds": "1.0", "condition": "true", "list": "[1]"},
        **{"text": "'2026-11-20'", "part": "'t'", "document": "'{}'", "version": "'1.0'"},
        **dict.fromkeys(("moment", "earlier", "later"), "now()"),
    }
    reader.run(f"SELECT {instead} FROM (SELECT {', '.join(f'{value} AS {name}' for name, value in values.items())})")


def test_a_condition_that_lets_nothing_pass_is_told(reader: Reader) -> None:
    assert any("write IS NULL" in note for note in reader.run_json("SELECT 1 FROM apps WHERE version != NULL").notes)
    assert not any("IS NULL" in note for note in reader.run_json("SELECT 1 FROM apps WHERE version IS NULL").notes)


SLOW = "list_sum(list_transform(range(300000), lambda x: list_sum(list_transform(range(3000), lambda y: x * y))))"


@pytest.mark.parametrize(
    ("sql", "params", "told"),
    [
        (f"SELECT serial_nummber, {SLOW} FROM devices", {}, "Did you mean devices.serial_number?"),
        ("SELECT CAST(repeat('/', 150000) AS INTEGER)", {}, "Could not convert string"),
        ("SELECT CAST($x AS INTEGER)", {"x": "/" * 90_000}, "Could not convert string"),
        (f"SELECT TOP{' ' * 19_000}x y z", {}, "cannot be parsed"),
    ],
)
def test_what_is_said_of_an_error_takes_no_time(reader: Reader, sql: str, params: dict[str, object], told: str) -> None:
    began = time.monotonic()
    with pytest.raises(StatementError, match=re.escape(told)):
        reader.run(sql, params)
    assert time.monotonic() - began < 4
