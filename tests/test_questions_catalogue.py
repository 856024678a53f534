"""What holds for every named query, and that every question people ask has one."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import pytest
from known_fleet import APPS, app
from past_home import PastHome, hours
from reads_home import Rows, publish
from test_questions_activity import ACTIVITY, REQUESTED
from test_questions_compliance import TABLES as COMPLIANCE
from test_questions_more import TABLES as MORE
from test_questions_security import TABLES as SECURITY
from test_questions_threats import TABLES as THREATS

from kandji_queries.catalog.declared import COMPUTED
from kandji_queries.catalog.queries import NamedQuery, catalog
from kandji_queries.definitions import views
from kandji_queries.reader import Reader
from kandji_queries.relations import BETWEEN, BY_THING
from kandji_schema.derived import derived_columns
from kandji_schema.registry import resources

QUESTIONS = (
    *("devices_by_platform", "devices_by_blueprint", "macs_below_os_version", "devices_by_os_version"),
    *("stale_devices", "offline_devices", "devices_of_user", "devices_without_user"),
    *("devices_with_app", "devices_with_app_below_version", "app_versions", "macs_missing_app"),
    *("rare_apps", "apps_on_device", "app_inventory", "macs_without_filevault"),
    *("macs_without_escrowed_key", "activation_lock", "unsupervised_mobile_devices"),
    *("macs_without_firewall_or_gatekeeper", "macs_without_sip", "local_accounts", "expiring_certificates"),
    *("devices_missing_profile", "extensions_in_use", "macs_with_old_agent", "failed_library_items"),
    *("pending_library_items", "failing_parameters", "device_compliance", "compliance_rate"),
    *("filevault_coverage", "device_changes", "changes_on_device", "devices_with_cve"),
    *("risky_devices", "sensitive_actions", "replacement_candidates", "licence_usage"),
)
"""The query that answers each question people ask of a fleet, from the first on."""

WITH_HISTORY = (
    *("device_changes", "changes_on_device", "filevault_coverage"),
    *("posture_trend", "os_adoption", "changes_by_day", "updated_apps", "patch_velocity", "release_adoption"),
)

OF_THE_MIRROR = ("mirror_ages",)
"""Queries that have rows where nothing is mirrored: they tell that."""

VALUES = {
    "app": "o",
    "certificate": "SCEP",
    "cve": "CVE-1",
    "device": "twin",
    "extension": "falcon",
    "other_app": "word",
    "profile": "Wi-Fi Corporate",
    "tag": "lab",
    "user": "Ann Lee",
    "version": "999",
}
"""For each parameter without a default a value to which the fleet below has an answer."""

RELEASE = {"os": "macOS", "version": "26.1", "build": "25B78"}
FEEDS: dict[str, Rows] = {
    "os_releases": [
        {**RELEASE, "ordinal": 1, "major": "26", "release_date": datetime(2026, 2, 1), "release_type": "OS"},
    ],
    "os_release_cves": [{**RELEASE, "cve_id": cve, "exploited": True} for cve in ("CVE-2", "CVE-1")],
    "device_models": [{"model_identifier": "Mac14,2", "os": "macOS", "majors": ["26", "15"]}],
    "known_exploited_vulnerabilities": [{"cve_id": "CVE-1", "due_date": datetime(2026, 3, 1)}],
}

EXTRA: dict[str, Rows] = {
    **FEEDS,
    "device_activity": ACTIVITY,
    "device_commands": REQUESTED,
    "apps": [*APPS, app("d1", "Old", "1", extra='{"last_used": "2020-01-01"}')],
    "device_details": [
        *SECURITY["device_details"],
        *({"device_id": f"d{n}", "public_ip": f"192.0.2.{n}"} for n in (2, 7)),
    ],
    "tags": [{"id": "t2", "name": "lab"}, {"id": "t1", "name": "vip"}],
    "licensing": [{"plan_type": "b", "max_devices": 2}, {"plan_type": "a", "max_devices": 1}],
}


def required(query: NamedQuery) -> dict[str, Any]:
    return {param.name: VALUES[param.name] for param in query.params if param.required}


def telling(query: NamedQuery) -> dict[str, Any]:
    """Values to which the fleet has rows: its devices were enrolled long ago, and say nothing of disks."""
    unread: dict[str, Any] = {"with_unknown": True}
    asked = {"new_devices": {"days": 3_650}, "disk_space": unread, "long_uptime": unread}
    return {**required(query), **asked.get(query.name, {})}


def merged() -> dict[str, list[Any]]:
    """Rows of every test fleet together."""
    fleets = (MORE, SECURITY, COMPLIANCE, THREATS, EXTRA)
    found = {name: list(rows) for fleet in fleets for name, rows in fleet.items()}
    reported = [{**row, "model_id": "Mac14,2"} for row in found["prism_device_information"]]
    return {**found, "prism_device_information": reported}


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Reader, Reader]]:
    """The same rows in two orders."""
    forward, backward = (tmp_path_factory.mktemp(name) for name in ("forward", "backward"))
    publish(forward, merged())
    publish(backward, {name: rows[::-1] for name, rows in merged().items()})
    with Reader(forward) as one, Reader(backward) as other:
        yield one, other


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    home = tmp_path_factory.mktemp("empty")
    publish(home, {})
    with Reader(home) as reader:
        yield reader


def test_each_of_the_thirty_nine_questions_has_a_query_of_its_own() -> None:
    assert len(set(QUESTIONS)) == 39
    assert [name for name in QUESTIONS if name not in catalog()] == []


@pytest.mark.parametrize("query", catalog().values(), ids=list(catalog()))
def test_a_query_is_described_in_whole_sentences(query: NamedQuery) -> None:
    assert query.title[:1].isupper()
    assert not query.title.endswith(".")
    assert [
        text for text in (query.description, *(p.description for p in query.params)) if not text.endswith(".")
    ] == []
    assert all(param.low is not None for param in query.params if param.kind in {"int", "float"})
    assert "\nORDER BY" in query.sql
    assert "\nLIMIT" not in query.sql


@pytest.mark.slow(quick_every=4)
@pytest.mark.parametrize("query", catalog().values(), ids=list(catalog()))
def test_a_query_is_prepared_against_the_schema_and_empty_where_nothing_is_mirrored(
    empty: Reader, query: NamedQuery
) -> None:
    result = empty.query(query.name, required(query))
    assert (result.rows == []) == (query.name not in OF_THE_MIRROR)
    answered = {column.name for column in result.columns}
    assert query.columns.keys() <= answered
    assert {
        *query.tells,
        *filter(None, (query.ranks, *(b.column for b in (query.beyond, query.nearest) if b))),
    } <= answered
    assert sorted(answered - meant(query, result.as_of)) == [], "write a line `column: name | meaning`"
    assert set(result.as_of) <= set(resources())
    assert set(result.as_of.values()) <= {None}


def meant(query: NamedQuery, tables: Iterable[str]) -> set[str]:
    """The columns whose meaning is written: in the header, for all queries, or where its tables and views are."""
    words = {*re.findall(r"\w+", query.sql)}
    read = {BY_THING if word == BETWEEN else word for word in words} & views().keys()
    stored = {column.name for table in tables for column in resources()[table].columns if column.description}
    derived = {column.name for table in tables for column in derived_columns(table)}
    return {*query.columns, *COMPUTED, *stored, *derived, *(name for view in read for name in views()[view].columns)}


@pytest.mark.many(quick_every=3)
@pytest.mark.parametrize("name", sorted(set(catalog()) - {*WITH_HISTORY, *OF_THE_MIRROR}))
def test_an_answer_has_one_order_whatever_that_of_the_rows_and_is_dated(
    readers: tuple[Reader, Reader], name: str
) -> None:
    one, other = (reader.query(name, telling(catalog()[name])) for reader in readers)
    assert one.rows
    assert _settled(one.rows) == _settled(other.rows)
    assert {moment for table, moment in one.as_of.items() if table in merged()} == {"2026-11-20T12:00:00Z"}


def _settled(rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Without what is computed from the time of the question."""
    return [tuple(None if isinstance(value, float) else value for value in row) for row in rows]


@pytest.mark.parametrize("query", [q for q in catalog().values() if q.chart or q.says], ids=lambda query: query.name)
def test_a_chart_and_its_sentence_name_columns_of_the_answer(empty: Reader, query: NamedQuery) -> None:
    query.check_columns([column.name for column in empty.query(query.name, required(query)).columns], ("chart", "says"))
    assert query.says


@pytest.fixture(scope="module")
def pasts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Reader, Reader]]:
    """The same past in two orders."""
    twins = [
        {"device_id": f"d{n}", "device_name": "twin", "serial_number": f"S{n}", "platform": "Mac"} for n in range(9)
    ]
    homes = [tmp_path_factory.mktemp(name) for name in ("one", "other")]
    for home, order in zip(homes, (1, -1), strict=True):
        past = PastHome(home)
        apps = [{"device_id": f"d{n}", "bundle_id": b, "name": b} for n in range(3) for b in "ab"][::order]
        filevault = [{"device_id": "d1", "status": True}]
        stays = [{"device_id": f"u{n}", "device_name": "twin", "platform": "Mac"} for n in range(3)][::order]
        reported = [{"device_id": device["device_id"], "model_id": "Mac14,2"} for device in stays]
        past.add(
            hours(0),
            devices=[*twins, *({**device, "os_version": "26.0"} for device in stays)][::order],
            prism_device_information=reported,
            prism_filevault=[],
            apps=[{**app, "version": "1"} for app in apps],
            **FEEDS,
        )
        past.add(
            hours(25),
            devices=[{**device, "os_version": "26.1"} for device in stays],
            prism_filevault=filevault,
            apps=[{**app, "version": "2"} for app in apps],
        )
    with Reader(homes[0]) as one, Reader(homes[1]) as other:
        yield one, other


@pytest.mark.heavy(quick_every=3)
@pytest.mark.parametrize("name", WITH_HISTORY)
def test_answers_about_the_past_have_one_order(pasts: tuple[Reader, Reader], name: str) -> None:
    values = {"device_changes": {"hours": 87_600}, "release_adoption": {}}.get(name, {"days": 3_650})
    one, other = (reader.query(name, {**required(catalog()[name]), **values}).rows for reader in pasts)
    assert one
    assert one == other


@pytest.mark.heavy
def test_a_hostile_name_is_a_name(readers: tuple[Reader, Reader]) -> None:
    hostile = "Robert'); DROP TABLE devices;--"
    for query in catalog().values():
        values = {param.name: hostile for param in query.params if param.kind == "text"}
        readers[0].query(query.name, {**required(query), **values})
    assert len(readers[0].run("FROM devices").rows) == 7
