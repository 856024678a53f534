"""Dates, notes and bounds are about the tables that an answer depends on, not about all that a view names."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from past_home import PastHome, hours
from reads_home import SYNCED, device, publish

from kandji_queries.lineage.keys import keys
from kandji_queries.reader import Reader
from kandji_queries.results.data_notes import Requirements
from kandji_queries.results.dates import date_line, short_dates
from kandji_schema.errors import NotFresh
from kandji_schema.registry import resources

FLEET = {
    "apps",
    "device_details",
    "device_library_items",
    "devices",
    "prism_activation_lock",
    "prism_application_firewall",
    "prism_device_information",
    "prism_filevault",
    "prism_gatekeeper_and_xprotect",
    "prism_startup_settings",
    "users",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two Macs of which FileVault and the firewall are known."""
    folder = tmp_path_factory.mktemp("home")
    posture = [{"device_id": "d1", "status": True}, {"device_id": "d2", "status": False}]
    apps = [{"device_id": "d1", "name": "Zoom", "bundle_id": "us.zoom", "path": "/A"}]
    known = {"prism_filevault": posture, "prism_application_firewall": posture}
    publish(folder, {"devices": [device(1), device(2)], "apps": apps, **known})
    return folder


@pytest.fixture(scope="module")
def reader(home: Path) -> Iterator[Reader]:
    """Whoever reads it."""
    with Reader(home) as found:
        yield found


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """The same Macs; nothing else was ever synced."""
    home = tmp_path_factory.mktemp("bare")
    publish(home, {"devices": [device(1), device(2)]})
    with Reader(home) as found:
        yield found


ONLY_DEVICES = [
    "SELECT serial_number FROM fleet ORDER BY 1",
    "SELECT count(*) FROM fleet",
    "FROM fleet SELECT serial_number ORDER BY ALL",
    "SELECT f.serial_number AS s FROM main.fleet AS f ORDER BY s",
    "SELECT DISTINCT platform FROM fleet",
    "WITH macs AS (SELECT * FROM fleet) SELECT serial_number FROM macs WHERE platform = 'Mac' ORDER BY 1",
    "WITH macs AS (FROM fleet), named AS (FROM macs) SELECT count(*) FROM named",
    "SELECT t.* FROM (SELECT serial_number FROM fleet) AS t ORDER BY 1",
    "SELECT serial_number FROM fleet UNION SELECT device_name FROM fleet ORDER BY 1",
    "SELECT a.serial_number FROM fleet AS a JOIN fleet AS b USING (device_id) ORDER BY 1",
    "SELECT count(*) FROM fleet WHERE device_id IN (SELECT device_id FROM fleet WHERE hours_since_check_in < 5)",
    "SELECT serial_number, n FROM fleet AS f, LATERAL (SELECT upper(f.device_name) AS n) ORDER BY 1",
    "SELECT platform, blueprint_name, count(*) FROM fleet GROUP BY CUBE (platform, blueprint_name) ORDER BY ALL",
    "SELECT serial_number FROM fleet USING SAMPLE 100%",
]


@pytest.mark.parametrize("sql", ONLY_DEVICES)
def test_an_answer_that_depends_on_devices_alone_says_so_and_is_the_same_without_the_rest(
    reader: Reader, bare: Reader, sql: str
) -> None:
    found, without = reader.run(sql), bare.run(sql)
    assert (set(found.as_of), set(without.as_of), found.rows) == ({"devices"}, {"devices"}, without.rows)
    assert not any("prism" in note for note in [*found.notes, *without.notes])


FILEVAULT = [
    "SELECT filevault_on, count(*) FROM fleet GROUP BY ALL",
    "SELECT count(*) FROM fleet WHERE filevault_on",
    "SELECT serial_number FROM fleet ORDER BY filevault_on",
    "SELECT row_number() OVER (PARTITION BY FileVault_On) FROM fleet",
    "WITH x AS (SELECT * FROM fleet) SELECT serial_number FROM x WHERE x.filevault_on",
    "SELECT serial_number, filevault_key_type.upper() FROM fleet",
    "SELECT a.serial_number FROM fleet AS a JOIN (SELECT 1 AS n) AS b ON a.filevault_on",
]
WHOLE = [
    "FROM fleet",
    "SELECT * FROM fleet",
    "SELECT fleet.* FROM fleet",
    "SELECT * EXCLUDE (serial_number) FROM fleet",
    "SELECT * REPLACE (1 AS serial_number) FROM fleet",
    "SELECT * RENAME (filevault_on AS x) FROM fleet",
    "SELECT COLUMNS('serial.*') FROM fleet",
    "SELECT to_json(f) FROM fleet AS f",
    "SELECT fleet FROM fleet",
    "SELECT count(f.*) FROM fleet AS f",
    "SELECT hash(*COLUMNS(*)) FROM fleet",
    "SELECT serial_number FROM fleet NATURAL JOIN (SELECT true AS filevault_on)",
    "SELECT count(*) FROM (SELECT DISTINCT * FROM fleet)",
    "SELECT count(*) FROM (SELECT * FROM fleet GROUP BY ALL)",
    "SELECT count(*) FROM (FROM fleet UNION FROM fleet)",
    "SELECT a FROM (FROM fleet) AS t(a)",
    "WITH t(a) AS (FROM fleet) SELECT a FROM t",
    "SELECT #30 FROM fleet",
    "SUMMARIZE fleet",
    "SELECT (SELECT count(t.*)) FROM fleet AS t",
    "PIVOT fleet ON platform IN ('Mac') USING count(*) GROUP BY model",
    "SELECT count(*) FROM fleet WHERE COLUMNS(*) IS NOT NULL",
]


@pytest.mark.parametrize("sql", FILEVAULT)
def test_a_column_of_another_table_brings_that_table_in(reader: Reader, sql: str) -> None:
    assert set(reader.run(sql).as_of) == {"devices", "prism_filevault"}


@pytest.mark.parametrize("sql", WHOLE)
def test_all_tables_count_where_all_columns_may_reach_the_answer(reader: Reader, sql: str) -> None:
    assert set(reader.run(sql).as_of) == FLEET


@pytest.mark.parametrize(
    ("column", "tables"),
    [
        ("disk_free_percent", {"device_details"}),
        ("department", {"users"}),
        ("app_count", {"apps"}),
        ("failed_items", {"device_library_items"}),
    ],
)
def test_what_the_fleet_derives_and_counts_is_from_its_own_table(reader: Reader, column: str, tables: set[str]) -> None:
    assert set(reader.run(f"SELECT serial_number, {column} FROM fleet").as_of) == {"devices", *tables}


def test_tables_that_a_statement_names_count_whatever_it_does_with_them(reader: Reader) -> None:
    joined = "SELECT f.serial_number, a.name FROM fleet AS f LEFT JOIN apps AS a USING (device_id)"
    assert set(reader.run(joined).as_of) == {"devices", "apps"}
    assert set(reader.run("SELECT 1 FROM fleet WHERE EXISTS (FROM apps)").as_of) == {"devices", "apps"}
    assert len(reader.run("FROM compliance_devices").as_of) > 2
    assert reader.run("FROM freshness").as_of == {}


def test_each_column_of_the_fleet_brings_in_its_own_tables_alone(reader: Reader) -> None:
    assert set(reader.run("SELECT department FROM fleet").as_of) == {"devices", "users"}
    assert set(reader.run("SELECT department, app_count FROM fleet").as_of) == {"devices", "users", "apps"}
    assert set(reader.run("SELECT disk_free_percent FROM fleet").as_of) == {"devices", "device_details"}
    assert set(reader.run("SELECT failed_items FROM fleet WHERE sip_on").as_of) == {
        "devices",
        "device_library_items",
        "prism_startup_settings",
    }


def test_bounds_ask_of_the_tables_that_are_used_alone(home: Path) -> None:
    strict = Requirements(strict=True)
    with Reader(home, requirements=strict, clock=lambda: SYNCED + timedelta(minutes=3)) as careful:
        assert careful.run("SELECT count(*) FROM fleet").rows == [(2,)]
        with pytest.raises(NotFresh, match="prism_startup_settings: never synced"):
            careful.run("SELECT count(*) FROM fleet WHERE sip_on")


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("SELECT count(*) FROM changes WHERE table_name = 'blueprints'", {"blueprints"}),
        ("SELECT count(*) FROM changes AS c WHERE 'blueprints' = c.table_name AND change = 'added'", {"blueprints"}),
        ("SELECT count(*) FROM changes WHERE table_name = $t", {"apps"}),
        (
            "SELECT device_name FROM changes WHERE table_name IN ('apps', 'blueprints')",
            {"apps", "blueprints", "devices"},
        ),
        ("SELECT old_row FROM removed_rows WHERE table_name = 'apps'", {"apps"}),
        ("SELECT count(*) FROM changes WHERE table_name = 'apps' OR true", None),
        ("SELECT count(*) FROM changes WHERE table_name <> 'apps'", None),
        ("SELECT count(*) FROM changes WHERE table_name = 'apps' UNION ALL SELECT count(*) FROM changes", None),
        ("SELECT count(*) FROM changes", None),
        ("SELECT count(*) FROM blueprints_as_of(now())", {"blueprints"}),
    ],
)
def test_changes_are_dated_by_the_tables_that_are_asked_for(past: Reader, sql: str, tables: set[str] | None) -> None:
    found = set(past.run(sql, {"t": "apps"} if "$t" in sql else None).as_of)
    assert found == tables if tables else len(found) == 1, found  # the one read longest ago stands for all


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """A mirror with history."""
    mirror = PastHome(tmp_path_factory.mktemp("past"))
    mirror.add(hours(0), devices=[{"device_id": "d1"}], apps=[], blueprints=[{"id": "b1", "name": "Lab"}])
    mirror.add(hours(1), devices=[{"device_id": "d1"}], apps=[], blueprints=[{"id": "b1", "name": "Labs"}])
    with Reader(mirror.home) as reader:
        yield reader


def test_the_keys_are_those_that_are_declared() -> None:
    declared = {r.name: list(r.key) for r in resources().values() if not r.key_fallback and not r.repeats}
    assert keys() == declared


NOW = SYNCED + timedelta(minutes=3)


@pytest.mark.parametrize(
    ("as_of", "short", "line"),
    [
        ({}, {}, ""),
        ({"a": "2026-11-20T12:00:00Z"}, "2026-11-20T12:00:00Z", "As of 2026-11-20 12:00 UTC, 3 min old."),
        (
            {"a": "2026-11-20T12:00:50Z", "b": "2026-11-20T12:00:00Z"},
            "2026-11-20T12:00:00Z",
            "As of 2026-11-20 12:00 UTC, 3 min old.",
        ),
        (
            {"a": "2026-11-20T12:00:00Z", "b": "2026-11-18T12:00:00Z", "c": "2026-11-20T12:00:00Z"},
            {"b": "2026-11-18T12:00:00Z", "others": "2026-11-20T12:00:00Z"},
            "As of 2026-11-18 12:00 UTC (b, 2 d old) to 2026-11-20 12:00 UTC (a, 3 min old).",
        ),
        (
            {"a": None, "b": "2026-11-20T12:00:00Z"},
            {"a": None, "b": "2026-11-20T12:00:00Z"},
            "As of 2026-11-20 12:00 UTC, 3 min old; a never synced.",
        ),
        ({"a": None}, {"a": None}, "a never synced."),
    ],
)
def test_a_date_is_one_moment_or_tells_which_tables_differ(
    as_of: dict[str, str | None], short: object, line: str
) -> None:
    assert (short_dates(as_of), date_line(as_of, NOW)) == (short, line)
