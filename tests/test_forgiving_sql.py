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


# words that stand between what was written and what was meant; a statement ends where the line does
MEANT = [
    ("free_disk FROM devices", "disk_free_bytes FROM fleet"),
    ("free_space FROM fleet", "disk_free_bytes FROM fleet"),
    ("ram FROM fleet", "memory_bytes FROM fleet"),
    ("ram FROM devices", "memory_bytes FROM fleet"),
    ("hostname FROM devices", "device_name FROM devices"),
    ("os FROM devices", "os_version FROM devices"),
    ("count(*) FROM computers", "count(*) FROM fleet"),
    ("people.name FROM people", "users.name FROM users"),
    ("1 FROM cves", "1 FROM vulnerabilities"),
    ("1 FROM software AS s", "1 FROM apps AS s"),
    ("1 FROM devices WHERE DATEDIFF(NOW(), last_check_in) > 14", "date_diff('day', last_check_in, NOW()) > 14"),
    ("1 FROM devices WHERE last_check_in < NOW() - 14", "NOW() - INTERVAL 14 DAY"),
    ("1 FROM devices WHERE last_check_in < CURRENT_TIMESTAMP - 14", "CURRENT_TIMESTAMP - INTERVAL 14 DAY"),
    ("1 FROM devices WHERE last_check_in < DATE_SUB(NOW(), INTERVAL 14 DAY)", "NOW() - INTERVAL 14 DAY"),
    ("1 FROM devices WHERE last_check_in < DATEADD(day, -14, GETDATE())", "now() - INTERVAL 14 DAY"),
    ("1 FROM devices WHERE last_check_in < SYSDATE - 14", "now() - INTERVAL 14 DAY"),
    ("1 FROM devices WHERE last_check_in < datetime('now', '-14 days')", "now() - INTERVAL 14 DAY"),
    ("1 FROM devices WHERE last_check_in > '14 days ago'", "now() - INTERVAL 14 DAY"),
    ("1 FROM devices WHERE device_name ILIKE mac%", "ILIKE 'mac%'"),
    ("1 FROM devices WHERE device_name ILIKE %mac%", "ILIKE '%mac%'"),
    ("1 FROM devices WHERE device_name ILIKE ada", "ILIKE '%ada%'"),
    ("1 FROM devices WHERE platform = Mac", "platform = 'Mac'"),
    ("1 FROM devices WHERE platform IN (Mac, iPad)", "platform IN ('Mac', 'iPad')"),
    ("1 FROM devices WHERE platform = \u2018Mac\u2019", "platform = 'Mac'"),
    ("1 FROM devices WHERE device_name = \u2018Mei\u2019s Mac\u2019", "device_name = 'Mei\u2019s Mac'"),
    ("1 FROM devices WHERE device_name = 'Ana's Mac'", "device_name = 'Ana''s Mac'"),
    ("1 FROM devices WHERE platform = 'Mac' && is_missing", "platform = 'Mac' AND is_missing"),
    ("1 FROM [devices] WHERE [platform] = 'Mac'", "FROM devices WHERE platform = 'Mac'"),
    ("1 FROM fleet WHERE filevault_on = 'off'", "filevault_on = false"),
    ("1 FROM fleet WHERE filevault_on = 'enabled'", "filevault_on = true"),
    ("1 FROM fleet WHERE filevault_on IS NOT 'true'", "filevault_on IS NOT true"),
    ("device_name FROM vulnerability_detections v JOIN fleet f USING (device_id)", "v.device_name FROM"),
    ("1 FROM devices AS d JOIN users AS u ON d.user_id = u.user_id", "ON d.user_id = u.id"),
    ("1 FROM devices JOIN users USING (user_id)", "JOIN users ON devices.user_id = users.id"),
    ("1 FROM users JOIN apps USING (id)", "JOIN devices ON devices.user_id = users.id JOIN apps USING (device_id)"),
    (
        "platform, count(*) AS n FROM devices WHERE n > 5 AND NOT is_missing GROUP BY platform ORDER BY n",
        "FROM devices WHERE NOT is_missing GROUP BY platform HAVING n > 5 ORDER BY n",
    ),
    ("platform FROM devices GROUP BY platform HAVING count > 3", "HAVING count(*) > 3"),
    ("device_name, count(*) FROM devices ORDER BY 2", "FROM devices GROUP BY ALL ORDER BY 2"),
    ("platform, model, count(*) FROM devices GROUP BY platform", "FROM devices GROUP BY ALL"),
]


@pytest.mark.parametrize(
    ("where", "values", "meant"),
    [
        ("platform IN ($a)", ["Mac", "iPad"], "platform IN $a"),
        ("platform=$a", ["Mac"], "platform IN $a"),
        ("model LIKE 'Mac%' AND platform != $a", ["iPhone"], "platform NOT IN $a"),
        ("platform IN $a", [1, 2], "platform IN $a::VARCHAR[]"),
        ("last_check_in IN $a", ["2026-11-20"], "last_check_in IN $a::TIMESTAMP[]"),
    ],
)
def test_how_a_list_bound_to_a_parameter_is_written_is_told(
    reader: Reader, where: str, values: list[object], meant: str
) -> None:
    with pytest.raises(StatementError, match=r"^\$a is a list") as found:
        reader.run(f"SELECT device_name FROM devices WHERE {where}", {"a": values})
    (proposed,) = re.findall("This would run: (.*)", str(found.value))
    assert proposed.endswith(meant)
    reader.run(proposed, {"a": values})


@pytest.mark.parametrize(
    ("where", "value", "told"),
    [
        ("platform IN ($a, 'iPad')", ["Mac"], r"^\$a is a list: a condition takes it as column IN \$a\.\nLINE 1"),
        ("device_name LIKE $a", ["Mac%"], r"^\$a is a list: a condition"),
        ("tags IN $a", ["lab"], r"list_has_any\(column, \$a\)"),
        ("platform = $a", {"x": 1}, r"^\$a is an object; a condition takes a value, or a list after IN"),
    ],
)
def test_a_list_or_an_object_that_fits_nowhere_is_named(reader: Reader, where: str, value: object, told: str) -> None:
    with pytest.raises(StatementError, match=told):
        reader.run(f"SELECT device_name FROM devices WHERE {where}", {"a": value})


@pytest.mark.parametrize(("written", "meant"), MEANT)
def test_words_and_habits_of_people_lead_to_the_statement(reader: Reader, written: str, meant: str) -> None:
    test_the_statement_that_was_meant_is_told_and_runs(reader, f"SELECT {written}", meant)


def test_what_does_not_run_is_not_proposed(reader: Reader) -> None:
    for sql in ("SELECT nonsense, ram FROM people", "SELECT nvl(device_name, now() - 1) FROM devices"):
        said = error(reader, sql)
        assert "Write:" not in said
        assert "This would" not in said


def test_an_empty_statement_is_told_what_to_write(reader: Reader) -> None:
    assert "SELECT * FROM fleet LIMIT 10" in error(reader, " ; ")


def test_an_error_does_not_repeat_a_long_statement(reader: Reader) -> None:
    assert len(error(reader, "a" * 5_000)) < 400
    assert len(error(reader, "SELECT * FROM nothing_of_the_kind")) < 250


def test_every_mended_name_is_told(reader: Reader) -> None:
    said = error(reader, "SELECT email, department FROM devices")
    assert "Did you mean devices.user_email?" in said
    assert "There is fleet.department" in said
    assert "This would run: SELECT user_email, department FROM fleet" in said


def test_a_name_in_square_brackets_is_a_list(reader: Reader) -> None:
    assert any("is a list of one value" in note for note in reader.run_json("SELECT [device_name] FROM devices").notes)
    assert not any("is a list" in note for note in reader.run_json("SELECT [1], [model, platform] FROM devices").notes)


def test_a_table_that_was_not_opened_is_proposed_too(reader_of_few: Reader) -> None:
    assert "This would run: SELECT uptime_days FROM fleet" in error(reader_of_few, "SELECT uptime FROM devices")
    assert "Write: SELECT count(*) FROM fleet" in error(reader_of_few, "SELECT count(*) FROM computers")
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
        ("SELECT department, qqq FROM devices", "devices has device_id, "),
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


@pytest.mark.parametrize(
    "sql", ["SELECT version FROM devices", "SELECT y FROM devices", "FROM '/etc/passwd'", "EXEC foo"]
)
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
