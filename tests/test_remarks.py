"""What runs but does not mean what was meant is told with the answer, and nothing that is not true of this answer."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from past_home import PastHome, hours
from reads_home import device, publish

from kandji_queries.reader import Reader
from kandji_schema.errors import Failed

PEOPLE = [{"id": f"u{n}", "name": f"P{n}", "department": "Design" if n > 1 else "Sales"} for n in range(1, 4)]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Five devices, the second removed, the third missing; three people, two without a device."""
    home = tmp_path_factory.mktemp("home")
    devices = [
        device(1, user_id="u1", device_name="Mei\N{RIGHT SINGLE QUOTATION MARK}s MacBook"),
        device(2, is_removed=True, os_version="9.1", model="Mac mini"),
        device(3, is_missing=True, blueprint_name="Sales"),
        device(4, os_version="14.10"),
        device(5, platform="iPhone"),
    ]
    apps = [
        {"device_id": "d1", "name": "Google Chrome", "bundle_id": "com.google.Chrome", "version": "130", "path": "/C"},
        {"device_id": "d2", "name": "zoom.us", "bundle_id": "us.zoom.xos", "version": "6.10", "path": "/Z"},
    ]
    flaws = [{"cve_id": "CVE-1", "severity": "Critical"}]
    publish(home, {"devices": devices, "users": PEOPLE, "apps": apps, "vulnerabilities": flaws})
    with Reader(home) as reader:
        yield reader


def said(reader: Reader, sql: str, **values: object) -> list[str]:
    """What is noted of an answer, but for the age of its tables."""
    return [note for note in reader.run_json(sql, values).notes if "old, due after" not in note]


NULL = "The SELECT of NOT IN yields a NULL"


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT count(*) FROM users WHERE department = 'Design' AND id NOT IN (SELECT user_id FROM devices)", True),
        ("SELECT id FROM users WHERE NOT id IN (SELECT user_id FROM devices) OR id = 'u1'", True),
        ("WITH d AS (FROM devices) SELECT id FROM users WHERE id NOT IN (SELECT user_id FROM d)", True),
        ("SELECT id FROM users WHERE id NOT IN (SELECT user_id FROM devices WHERE user_id IS NOT NULL)", False),
        ("SELECT id FROM users WHERE id NOT IN (SELECT device_id FROM devices)", False),
        ("SELECT id FROM users WHERE id IN (SELECT user_id FROM devices)", False),
    ],
)
def test_not_in_with_a_null_in_its_list_is_told(reader: Reader, sql: str, told: bool) -> None:
    notes = [note for note in said(reader, sql) if note.startswith(NULL)]
    assert bool(notes) is told
    assert all("WHERE user_id IS NOT NULL" in note and "NOT EXISTS" in note for note in notes)


@pytest.mark.parametrize(
    ("where", "value", "told"),
    [
        ("d.platform IN $a", "Mac,iPad", 'write platform = $a, or give a list, {"a": ["Mac,iPad"]}.'),
        ("platform NOT IN $a", '["Mac"]', 'write platform = $a, or give a list, {"a": ["Mac"]}.'),
        ("platform IN $a", ["Mac"], ""),
        ("contains($a, platform)", "Mac,iPad", ""),
    ],
)
def test_one_text_in_the_place_of_a_list_is_told(reader: Reader, where: str, value: object, told: str) -> None:
    notes = [note for note in said(reader, f"SELECT 1 FROM devices d WHERE {where}", a=value) if "one text" in note]
    assert [note[-len(told) :] for note in notes] == ([told] if told else [])


@pytest.mark.parametrize(
    ("sql", "note"),
    [
        ("SELECT count(*) FROM devices WHERE platform = 'mac'", "No platform is 'mac'; there is 'Mac'."),
        ("SELECT sum(1) FROM devices AS d WHERE 'MAC ' = d.platform", "No platform is 'MAC '; there is 'Mac'."),
        ("SELECT 1 FROM devices WHERE platform IN ('iphones')", "No platform is 'iphones'; there is 'iPhone'."),
        ("SELECT 1 FROM devices WHERE platform = 'Android'", "No platform is 'Android'; there are 'Mac', 'iPhone'."),
        ("SELECT count(*) FILTER (name = 'Zoom') FROM apps", "No name is 'Zoom'; there is 'zoom.us'."),
        ("SELECT 1 FROM fleet WHERE model = 'mac mini'", "No model is 'mac mini'; there is 'Mac mini'."),
        ("WITH d AS (FROM devices) SELECT 1 FROM d WHERE d.platform = 'mac'", "No platform is 'mac'; there is 'Mac'."),
        ("SELECT 1 FROM apps WHERE name LIKE '%chrome%'", "No name is LIKE '%chrome%'; ILIKE finds 'Google Chrome'."),
        (
            "SELECT 1 FROM devices WHERE device_name ILIKE 'Mei''s%'",
            "No device_name is ILIKE 'Mei''s%'; folded(device_name) LIKE 'mei''s%' finds 'Mei\u2019s MacBook'.",
        ),
        ("SELECT 1 FROM apps WHERE name LIKE 'xyz%'", "No name is LIKE 'xyz%'."),
    ],
)
def test_a_text_that_no_row_has_is_told_with_what_there_is(reader: Reader, sql: str, note: str) -> None:
    assert said(reader, sql) == [note]


def test_a_bound_text_that_no_row_has_is_told_too(reader: Reader) -> None:
    notes = said(reader, "SELECT 1 FROM devices WHERE platform = $p", p="mac")
    assert notes == ["No platform is 'mac'; there is 'Mac'."]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 FROM devices WHERE platform = 'Mac' AND os_version = '14.10' AND tags IS NULL",
        "SELECT device_id FROM devices WHERE platform IN ('mac', 'iPhone')",
        "SELECT 1 FROM devices WHERE platform <> 'mac' AND serial_number IS NULL",
        "SELECT 1 FROM devices WHERE is_missing = 'true' AND device_name LIKE 'Mac%' AND is_removed",
    ],
)
def test_nothing_is_told_of_texts_that_are_there_or_where_there_are_rows(reader: Reader, sql: str) -> None:
    assert said(reader, sql) == []


def test_what_is_proposed_has_the_letters_of_the_data(reader: Reader) -> None:
    with pytest.raises(Failed, match=r"This would run: SELECT 1 FROM vulnerabilities WHERE severity = 'Critical'"):
        reader.run("SELECT 1 FROM vulnerabilities WHERE severty = 'critical'")


@pytest.mark.parametrize(
    ("condition", "instead"),
    [
        ("os_version < '14.6'", "version_below(os_version, '14.6')"),
        ("os_version > '14.6'", "version_below('14.6', os_version)"),
        ("d.os_version <= '14.6'", "NOT version_below('14.6', d.os_version)"),
        ("'14.6' <= os_version", "NOT version_below(os_version, '14.6')"),
        (
            "os_version BETWEEN '9' AND '15'",
            "NOT version_below(os_version, '9') AND NOT version_below('15', os_version)",
        ),
    ],
)
def test_versions_compared_as_texts_are_told_with_what_to_write(reader: Reader, condition: str, instead: str) -> None:
    notes = said(reader, f"SELECT is_removed, is_missing FROM devices AS d WHERE {condition}")
    assert [note.partition("write ")[2] for note in notes] == [f"{instead}."]
    reader.run(f"SELECT 1 FROM devices AS d WHERE {instead}")


def test_versions_sorted_as_texts_are_told_and_those_sorted_right_are_not(reader: Reader) -> None:
    flags = "is_removed, is_missing"
    (note,) = said(reader, f"SELECT os_version, {flags} FROM devices ORDER BY os_version")
    assert "write ORDER BY version_key(os_version)." in note
    (note,) = said(reader, "SELECT max(version) FROM apps")
    assert "write arg_max(version, version_key(version))." in note
    assert reader.run("SELECT arg_max(version, version_key(version)) FROM apps").rows == [("130",)]
    assert said(reader, f"SELECT {flags} FROM devices ORDER BY version_key(os_version)") == []
    assert said(reader, f"SELECT {flags} FROM devices WHERE os_version = '9.1' ORDER BY os_version") == []


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT count(*) FROM devices", "1 removed and 1 missing"),
        ("SELECT platform, count(*) FROM fleet GROUP BY ALL", "1 removed and 1 missing"),
        ("SELECT device_name FROM fleet WHERE blueprint_name = 'Sales'", "1 missing"),
        ("SELECT count(*) FROM fleet WHERE model = 'Mac mini'", "1 removed"),
        ("SELECT count(*) FROM devices WHERE platform = 'iPhone'", ""),
        ("SELECT a.name FROM apps AS a JOIN devices AS d USING (device_id)", "1 removed"),
        ("SELECT device_id FROM devices ORDER BY device_id LIMIT 2", "1 removed"),
        ("SELECT device_id FROM devices ORDER BY device_id LIMIT 1", ""),
        ("WITH d AS (FROM devices) SELECT device_id, model FROM d WHERE model = 'Mac mini'", "1 removed"),
        ("SELECT device_name FROM devices LIMIT 1", ""),
        ("SELECT count(*) FILTER (platform = 'iPhone') FROM devices", ""),
        ("SELECT model FROM devices GROUP BY model HAVING count(*) > 2", ""),
        ("SELECT device_name FROM devices WHERE model = 'Mac mini' AND platform = 'iPhone'", ""),
        ("SELECT count(*) FROM devices WHERE NOT is_missing", ""),
    ],
)
def test_removed_and_missing_devices_are_those_of_the_answer(reader: Reader, sql: str, told: str) -> None:
    flags = " (is_removed, is_missing)" if "and" in told else f" (is_{told[2:]})"
    assert said(reader, sql) == ([f"devices include {told}{flags}."] if told else [])


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Two states, an hour apart."""
    mirror = PastHome(tmp_path_factory.mktemp("past"))
    mirror.add(hours(0), devices=[{"device_id": "d1", "os_version": "15.1"}])
    mirror.add(hours(1), devices=[{"device_id": "d1", "os_version": "15.2"}])
    with Reader(mirror.home, lazy=True, clock=lambda: datetime(2026, 3, 3, tzinfo=UTC)) as reader:
        yield reader


BEGINS = "History begins on 2026-03-02 08:00 UTC; what changed earlier is not known."


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("FROM changes_by_thing WHERE changed_at > TIMESTAMP '2026-03-03' - INTERVAL 7 DAY", True),
        ("SELECT count(*) FROM changes WHERE changed_at BETWEEN '2026-03-01' AND '2026-03-03'", True),
        ("SELECT change FROM changes", True),
        ("FROM removed_rows WHERE removed_at > DATE '2026-03-02' AND table_name = 'devices'", True),
        ("FROM changes_between('2026-03-01', '2026-03-04')", True),
        ("SELECT count(*) FROM changes WHERE changed_at >= '2026-03-02 08:00' AND changed_at < now()", False),
        ("WITH c AS (FROM changes) SELECT change FROM c WHERE changed_at > '2026-03-02 08:30'", False),
        ("FROM changes_between('2026-03-01', '2026-03-02 08:30')", True),
        ("FROM changes_between(ends := '2026-03-02 08:30', Begins := '2026-03-01')", True),
        ("FROM changes_between('2026-03-02 08:00', '2026-03-04')", False),
        ("FROM history", False),
    ],
)
def test_a_past_that_begins_later_than_what_is_asked_is_told(past: Reader, sql: str, told: bool) -> None:
    assert (BEGINS in past.run_json(sql).notes) is told
