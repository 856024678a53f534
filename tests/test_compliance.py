"""Compliance: one row a device and rule, honest about what is unknown, by rules anyone can replace."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from commands import run
from mcp_calls import republish
from reads_home import NOW, SYNCED, Rows, device, publish
from support import run_sync, values_of

from kandji_queries.compliance.rule_set import BUILT_IN, FILE, read
from kandji_queries.reader import Reader
from kandji_schema.errors import ConfigurationError, Failed
from kandji_schema.manifest import Manifest, State, manifest_path
from kandji_schema.registry import resources
from kandji_simulator import Tenant, World

WELL = {"mdm_enabled": True, "is_missing": False, "is_removed": False}

DEVICES: Rows = [
    device(1, **WELL),
    device(2, **WELL, last_check_in=NOW - timedelta(days=20)),
    device(3, **{**WELL, "mdm_enabled": None, "is_removed": True}, last_check_in=None),
    device(4, **WELL, platform="iPad"),
    device(5, **WELL, platform="Android"),
]


def posture(device_id: str, days: float | None = 1, **facts: Any) -> Mapping[str, Any]:
    """A row of a Prism category that the device reported so many days ago."""
    return {"device_id": device_id, "last_collected_at": days and NOW - timedelta(days=days), **facts}


POSTURE: Mapping[str, Rows] = {
    "prism_filevault": [
        posture("d1", status=True, key_escrowed=True),
        posture("d2", status=False, key_escrowed=None),
        posture("d3", 12, status=True, key_escrowed=False),
        posture("left", status=False),
    ],
    "prism_application_firewall": [posture("d1", status=True), posture("d2", None, status=True)],
    "prism_gatekeeper_and_xprotect": [posture(f"d{n}", gatekeeper_status=True) for n in (1, 2, 3)],
    "prism_startup_settings": [posture(f"d{n}", sip=True) for n in (1, 2, 3)],
    "prism_activation_lock": [posture("d4", user_activation_lock_enabled=True), posture("d1")],
}

MINE = """
[[rule]]
name = "macos_current"
title = "macOS is 15 or newer"
platforms = ["Mac"]
table = "devices"
conditions = [{ column = "os_version", operator = "at_least_version", value = "15" }]
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    publish(home, {"devices": DEVICES, **POSTURE})
    return home


@pytest.fixture(scope="module", params=[False, True], ids=["eager", "lazy"])
def reader(home: Path, request: pytest.FixtureRequest) -> Iterator[Reader]:
    with Reader(home, lazy=request.param, second_opinion=not request.param) as reader:
        yield reader


def results(reader: Reader, device_id: str, columns: str = "result, reason") -> dict[str, Any]:
    sql = f"SELECT rule, {columns} FROM compliance WHERE device_id = $id"
    found = reader.run(sql, {"id": device_id}).rows
    assert len(found) == len({rule for rule, *_ in found})
    return {rule: tuple(rest) if len(rest) > 1 else rest[0] for rule, *rest in found}


def by_rules(home: Path, rules: str, sql: str = "SELECT device_id, result, reason FROM compliance ORDER BY ALL") -> Any:
    (home / "mine.toml").write_text(rules)
    with Reader(home, lazy=True, rules=str(home / "mine.toml")) as reader:
        return reader.run(sql).rows


def rule(**facts: Any) -> str:
    """A rule about devices as TOML; ``facts`` change or, where None, remove its keys."""
    keys = {"name": "r", "title": "R", "table": "devices", "conditions": [("is_missing", "is_false")], **facts}
    return "[[rule]]\n" + "\n".join(f"{key} = {_toml(value)}" for key, value in keys.items() if value is not None)


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        pairs = zip(("column", "operator", "value"), value, strict=False)
        return "{" + ", ".join(f"{key} = {_toml(part)}" for key, part in pairs) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value)


def test_a_mac_that_is_well_passes_every_rule(reader: Reader) -> None:
    assert results(reader, "d1") == {
        "mdm_enabled": ("pass", "MDM is enabled"),
        "not_missing": ("pass", "The device is not missing"),
        "not_removed": ("pass", "The device is not removed"),
        "checked_in": ("pass", "The device checked in within 14 days"),
        "filevault_on": ("pass", "FileVault is on"),
        "filevault_key_escrowed": ("pass", "The FileVault key is escrowed"),
        "firewall_on": ("pass", "The application firewall is on"),
        "gatekeeper_on": ("pass", "Gatekeeper is on"),
        "sip_on": ("pass", "System Integrity Protection is on"),
    }


def test_a_failure_and_what_is_not_known_are_told_apart_and_why(reader: Reader) -> None:
    found = results(reader, "d2")
    assert {name: why for name, why in found.items() if why[0] != "pass"} == {
        "checked_in": ("fail", "No check-in for more than 14 days"),
        "filevault_on": ("fail", "FileVault is off"),
        "filevault_key_escrowed": ("unknown", "key_escrowed is not known"),
        "firewall_on": ("unknown", "it is not known when this was reported"),
    }


def test_a_removed_device_has_rows_and_old_or_absent_facts_prove_nothing(reader: Reader) -> None:
    found = results(reader, "d3")
    assert {name: why for name, why in found.items() if why[0] != "pass"} == {
        "mdm_enabled": ("unknown", "mdm_enabled is not known"),
        "not_removed": ("fail", "The device was removed"),
        "checked_in": ("unknown", "last_check_in is not known"),
        "filevault_on": ("unknown", "reported 12 days ago, older than 7 days"),
        "filevault_key_escrowed": ("unknown", "reported 12 days ago, older than 7 days"),
        "firewall_on": ("unknown", "no row in prism_application_firewall"),
    }


def test_other_platforms_have_the_rules_that_are_for_them(reader: Reader) -> None:
    everywhere = {"mdm_enabled": "pass", "not_missing": "pass", "not_removed": "pass"}
    assert results(reader, "d5", "result") == everywhere
    assert results(reader, "d4", "result") == {**everywhere, "no_personal_activation_lock": "fail"}


def test_every_row_carries_its_input_and_how_old_that_is(reader: Reader) -> None:
    columns = "severity, input, input_table, input_collected_at, round(input_age_hours, 1), input_synced_at"
    reported, synced = NOW - timedelta(days=1), SYNCED.replace(tzinfo=None)
    severity, value, table, collected_at, age, synced_at = results(reader, "d2", columns)["filevault_on"]
    assert (severity, value, table, collected_at, synced_at) == ("high", "false", "prism_filevault", reported, synced)
    passed = datetime.now(UTC).replace(tzinfo=None) - reported  # a busy machine comes here late
    assert age == pytest.approx(passed / timedelta(hours=1), abs=0.2)
    seen = NOW - timedelta(days=20)
    assert results(reader, "d2", "input, input_collected_at")["checked_in"] == (str(seen), seen)


def test_a_device_is_compliant_only_where_all_is_known_and_passes(reader: Reader) -> None:
    columns = "device_id, is_compliant, rules, passed, failed, unknown, failed_rules, unknown_rules"
    found = {row[0]: row[1:] for row in reader.run(f"SELECT {columns} FROM compliance_devices").rows}
    assert found["d1"] == (True, 9, 9, 0, 0, [], [])
    assert found["d2"] == (
        *(False, 9, 5, 2, 2),
        ["checked_in", "filevault_on"],
        ["filevault_key_escrowed", "firewall_on"],
    )
    assert found["d5"] == (True, 3, 3, 0, 0, [], [])
    assert len(found) == len(DEVICES)


def test_a_device_without_a_failure_but_with_an_unknown_is_neither(home: Path) -> None:
    rows = by_rules(home, MINE + rule(name="u", conditions=[("asset_tag", "equals", "x")], platforms=["Mac"]))
    assert ("d1", "unknown", "asset_tag is not known") in rows
    sql = "SELECT DISTINCT is_compliant FROM compliance_devices"
    assert by_rules(home, (home / "mine.toml").read_text(), sql) == [(None,)]


@pytest.mark.parametrize("state", State)
def test_a_table_that_could_not_be_read_proves_nothing_and_one_that_failed_goes_on(home: Path, state: State) -> None:
    first = Manifest.from_json(manifest_path(home, 1).read_bytes())
    republish(home, first, "prism_filevault", state=state)
    try:
        with Reader(home, lazy=True) as reader:
            found = results(reader, "d1")["filevault_on"]
    finally:
        manifest_path(home, 2).unlink()
    if state in {State.OK, State.FAILED, State.PARTIAL}:
        assert found == ("pass", "FileVault is on")
    else:
        assert found == ("unknown", f"prism_filevault: {state.value}")


def test_the_views_are_tables_like_any_other(reader: Reader) -> None:
    for name in ("compliance", "compliance_devices"):
        detail = reader.describe(name)
        assert all(column.description for column in detail.columns)
        assert {info.name for info in reader.tables()} >= {name}
    behind = {"devices", *POSTURE}
    assert reader.run("SELECT count(*) FROM compliance_devices").as_of.keys() == behind


def test_the_built_in_rules_ask_of_columns_that_exist() -> None:
    for entry in read(BUILT_IN).rules:
        kinds = {column.name: str(column.kind) for column in resources()[entry.table].columns}
        assert all(c.operator.fits(kinds[c.column], c.value) for c in entry.conditions)


@pytest.mark.heavy
def test_a_file_in_the_home_replaces_the_built_in_rules(tmp_path: Path) -> None:
    publish(tmp_path, {"devices": DEVICES})
    with Reader(tmp_path) as reader:
        assert len(results(reader, "d1")) == 9
        (tmp_path / FILE).write_text(MINE)
        assert results(reader, "d1") == {"macos_current": ("pass", "macOS is 15 or newer")}
        (tmp_path / FILE).write_text(MINE.replace('"15"', '"15.2"'))
        assert results(reader, "d1") == {"macos_current": ("fail", "not met: os_version is at least version 15.2")}


def test_the_setting_names_another_file(tmp_path: Path) -> None:
    publish(tmp_path, {"devices": DEVICES})
    (tmp_path / "other.toml").write_text(MINE)
    done = run(
        tmp_path,
        *("sql", "SELECT DISTINCT rule FROM compliance", "-f", "csv"),
        KANDJI_MIRROR_COMPLIANCE_FILE=str(tmp_path / "other.toml"),
    )
    assert done.stdout.split() == ["rule", "macos_current"]
    done = run(tmp_path, "sql", "FROM compliance", KANDJI_MIRROR_COMPLIANCE_FILE=str(tmp_path / "none.toml"))
    assert (done.returncode, "none.toml cannot be read" in done.stderr) == (3, True), done.stderr


@pytest.mark.parametrize(
    ("condition", "passing"),
    [
        (("os_version", "equals", "15.1"), {"d1"}),
        (("os_version", "not_equals", "15.1"), {"d2", "d3"}),
        (("os_version", "in", ["15.1", "14.6"]), {"d1", "d2"}),
        (("os_version", "at_least_version", "14.6.0"), {"d1", "d2"}),
        (("last_check_in", "within", "90m"), {"d1"}),
        (("asset_tag", "not_null"), {"d2"}),
        (("is_missing", "is_true"), {"d2"}),
        (("is_missing", "equals", False), {"d1", "d3"}),
        (("last_check_in", "at_least", NOW - timedelta(days=2)), {"d1", "d2"}),
        (("last_check_in", "at_most", (NOW - timedelta(days=2)).date()), {"d3"}),
    ],
)
def test_every_operator_asks_what_it_says(tmp_path: Path, condition: tuple[Any, ...], passing: set[str]) -> None:
    rows = [
        device(1),
        device(2, os_version="14.6", asset_tag="x", is_missing=True, last_check_in=NOW - timedelta(hours=9)),
        device(3, os_version="9.9", last_check_in=NOW - timedelta(days=9)),
    ]
    publish(tmp_path, {"devices": rows})
    column, operator, *value = condition
    shown = f", value = {value[0].isoformat()}" if value and hasattr(value[0], "isoformat") else ""
    written = f'[{{ column = "{column}", operator = "{operator}"{shown} }}]' if shown else _toml([condition])
    rules = rule(conditions=None) + f"\nconditions = {written}"
    found = by_rules(tmp_path, rules)
    assert {device_id for device_id, result, _ in found if result == "pass"} == passing
    assert {result for _, result, _ in found} == {"pass", "fail"}


def test_a_number_can_be_asked_for(tmp_path: Path) -> None:
    rows: Rows = [{"device_id": "d1", "device_capacity": 256.0}]
    publish(tmp_path, {"devices": [device(1)], "prism_device_information": rows})
    for value, result in ((256, "pass"), (256.5, "fail")):
        condition = ("device_capacity", "at_least", value)
        found = by_rules(tmp_path, rule(table="prism_device_information", conditions=[condition]))
        assert [outcome for _, outcome, _ in found] == [result]


def test_all_conditions_and_all_rows_of_the_device_have_to_be_met(tmp_path: Path) -> None:
    apps: Rows = [
        {"device_id": "d1", "name": "A", "bundle_id": "a", "version": "2.0"},
        {"device_id": "d1", "name": "B", "bundle_id": "b", "version": "1.0"},
        {"device_id": "d2", "name": "A", "bundle_id": "a", "version": "2.0"},
        {"device_id": "d3", "name": "A", "bundle_id": "a", "version": None},
    ]
    publish(tmp_path, {"devices": [device(n) for n in (1, 2, 3)], "apps": apps})
    conditions = [("version", "at_least_version", "2"), ("name", "not_null")]
    rules = rule(table="apps", conditions=conditions, fails="an app is old")
    assert by_rules(tmp_path, rules, "SELECT device_id, result, reason, input FROM compliance ORDER BY ALL") == [
        ("d1", "fail", "1 of 2 rows: an app is old", "version = 1.0, name = B"),
        ("d2", "pass", "R", "version = 2.0, name = A"),
        ("d3", "unknown", "version, name is not known", "version = NULL, name = A"),
    ]


HOSTILE = "x'); DROP TABLE devices; --\" \\"


def test_nothing_of_a_file_becomes_sql(home: Path) -> None:
    conditions = [("os_version", "equals", HOSTILE)]
    rules = rule(title=HOSTILE, fails=HOSTILE, severity=HOSTILE, platforms=["Mac", HOSTILE], conditions=conditions)
    found = by_rules(home, rules, "SELECT DISTINCT title, severity, result, reason FROM compliance")
    assert found == [(HOSTILE, HOSTILE, "fail", HOSTILE)]


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ("rule = 1", "must hold [[rule]] tables"),
        ("", "must hold [[rule]] tables"),
        ("[[rule]\n", "cannot be read"),
        (rule(name="Bad Name"), "rule 1: name is 'Bad Name'; it must be lower-case letters"),
        (rule(title=None), "rule r: title is None; it must be a text"),
        (rule() + "\nplatform = 'Mac'", "rule r: a key is 'platform'; it must be one of platforms"),
        (rule(platforms="Mac"), "rule r: platforms is 'Mac'; it must be a list of texts"),
        (rule(max_age="7 weeks"), "rule r: max_age is '7 weeks'; it must be a time such as 36h or 7d"),
        (rule(conditions=[]), "rule r: conditions is []; it must be a list such as"),
        (rule(conditions=[("is_missing", "is_flase")]), "operator is 'is_flase'; it must be one of is_false"),
        (rule(conditions=[("is_missing", "is_false", True)]), "value of is_missing is_false is True; it must be left"),
        (rule(conditions=[("os_version", "equals")]), "value of os_version equals is None; it must be a text, number"),
        (rule(conditions=[("os_version", "in", ["1", 2])]), "it must be a list of texts, numbers or times"),
        (rule(conditions=[("last_check_in", "within", "soon")]), "it must be a time such as"),
        (rule(conditions=[("os_version", "at_least_version", "new")]), "it must be a version as text"),
        (
            rule(conditions=[("is_mising", "is_false")]),
            "column of devices is 'is_mising'; it must be one of is_missing",
        ),
        (rule(conditions=[("os_version", "is_true")]), "one that fits os_version, which is VARCHAR"),
        (rule(conditions=[("is_missing", "equals", "no")]), "one that fits is_missing, which is BOOLEAN"),
        (rule(table="device"), "rule r: table is 'device'; it must be one of devices"),
        (rule(table="users", conditions=[("email", "not_null")]), "it must be a table that has a device_id"),
        (rule() + "\n" + rule(), "rule 2: name is 'r'; it must be a name no other rule has"),
        (rule(title="a\x00b"), "title is 'a\\x00b'; it must be a text"),
    ],
)
def test_a_wrong_rule_is_named_with_what_is_allowed(home: Path, rules: str, words: str) -> None:
    for view in ("compliance", "compliance_devices"):
        with pytest.raises(ConfigurationError) as wrong:
            by_rules(home, rules, f"FROM {view}")
        assert words in str(wrong.value)
        assert str(home / "mine.toml") in str(wrong.value)


@pytest.mark.parametrize("rules", [rule(table="device"), "[[rule]"])
def test_wrong_rules_take_nothing_else_down(tmp_path: Path, rules: str) -> None:
    publish(tmp_path, {"devices": DEVICES})
    (tmp_path / FILE).write_text(rules)
    with Reader(tmp_path) as reader:
        assert reader.run("SELECT count(*) FROM devices").rows == [(5,)]
        assert ("compliance",) not in reader.run("SHOW TABLES").rows
        assert {"devices", "fleet"} <= {info.name for info in reader.tables()}
        with pytest.raises(ConfigurationError, match="rule"):
            reader.describe("compliance")
        (tmp_path / FILE).unlink()
        assert results(reader, "d1", "result")["not_missing"] == "pass"


def test_a_column_an_old_file_lacks_is_unknown_not_an_error(tmp_path: Path) -> None:
    first = publish(tmp_path, {"devices": DEVICES, **POSTURE})
    ddl = ('CREATE TABLE "prism_filevault" ("device_id" VARCHAR, "status" BOOLEAN, "last_collected_at" TIMESTAMP)',)
    republish(tmp_path, first, "prism_filevault", ddl=ddl, file=None)
    with Reader(tmp_path) as reader:
        found = results(reader, "d1")
    assert found["filevault_key_escrowed"] == (
        "unknown",
        "prism_filevault.key_escrowed is not mirrored yet, `kandji-mirror sync --full` reads it",
    )
    assert found["sip_on"][0] == "pass"


def test_a_mirror_without_a_table_answers_unknown_and_says_of_views_what_they_need(tmp_path: Path) -> None:
    first = publish(tmp_path, {"devices": DEVICES, **POSTURE})
    tables = {name: state for name, state in first.tables.items() if name != "prism_filevault"}
    older = Manifest(generation=2, tenant="example", published_at=SYNCED, tables=tables)
    manifest_path(tmp_path, 2).write_bytes(older.to_json())
    with Reader(tmp_path) as reader:
        assert results(reader, "d1")["filevault_on"] == ("unknown", "prism_filevault is not mirrored yet")
        with pytest.raises(Failed, match="The view fleet needs a table that is not mirrored here yet"):
            reader.run("FROM fleet")
        assert "fleet" not in {info.name for info in reader.tables()}


def test_a_synced_tenant_is_judged_as_its_own_rows_say(tmp_path: Path) -> None:
    world = World(3, 60, apps_per_device=2, start=datetime.now(UTC))
    run_sync(tmp_path, Tenant(world, limits=None), "devices", "prism_filevault")
    reported = {row["device_id"]: row for row in world.truth("prism_filevault")}
    macs = [row["device_id"] for row in world.truth("devices") if row["platform"] == "Mac"]
    with Reader(tmp_path) as reader:
        found = reader.run("SELECT device_id, result FROM compliance WHERE rule = 'filevault_on'").rows
    assert dict(found) == {device_id: _verdict(reported.get(device_id)) for device_id in macs}
    assert {result for _, result in found} == {"pass", "fail", "unknown"}


def _verdict(row: Mapping[str, Any] | None) -> str:
    if row is None or row["status"] in (None, "") or not row["last_collected_at"]:
        return "unknown"
    names = [column.name for column in resources()["prism_filevault"].columns if column.name != "extra"]
    values = dict(zip(names, values_of("prism_filevault", dict(row)), strict=True))
    if NOW - values["last_collected_at"] > timedelta(days=7):
        return "unknown"
    return "pass" if values["status"] else "fail"
