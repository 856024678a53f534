"""The questions people ask about their fleet, each answered over MCP in one call, exactly, dated and short.

The calls are those an assistant makes that has read the names and descriptions of the tools and nothing else.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from agent_fleet import READ, ROBERT, agent_fleet
from mcp_calls import Era, answer, calls, opened, refusal, said
from reads_home import device, publish

from kandji_mcp_server.context import ServerContext
from kandji_schema.settings import Settings

TOKENS = 2_000
"""Most tokens of an answer, at four characters each."""

MAC_RULES = (
    "all rules", "checked_in", "filevault_key_escrowed", "filevault_on", "firewall_on", "gatekeeper_on", "mdm_enabled",
    "not_missing", "not_removed", "sip_on",
)  # fmt: skip
OTHER_RULES = ("all rules", "mdm_enabled", "not_missing", "not_removed") * 3 + ("no_personal_activation_lock",) * 2

Question = tuple[int, str, dict[str, object], str, Sequence[object]]


def query(number: int, name: str, column: str, expected: Sequence[object], **params: object) -> Question:
    """Question, query, parameters, and what its answer has in one column."""
    return number, name, params, column, expected


QUESTIONS: list[Question] = [
    query(1, "devices_by_platform", "devices", [5, 1, 1, 1]),
    query(2, "devices_by_blueprint", "devices", [6, 1, 1, 0]),
    query(3, "macs_below_os_version", "serial_number", ["s2", "S4"], version="14.10"),
    query(4, "devices_by_os_version", "os_version", ["15.1", "14.10", "14.9", "unknown"]),
    query(5, "stale_devices", "serial_number", ["S4"]),
    query(6, "offline_devices", "serial_number", ["S4"], hours=48, blueprint="Engineering"),
    query(7, "devices_of_user", "serial_number", ["S1", "S2", "s2"], user="ann@example.org"),
    query(8, "devices_without_user", "serial_number", ["S4", "S5"]),
    query(9, "devices_with_app", "serial_number", ["S8"], app="zoom"),
    query(10, "devices_with_app_below_version", "serial_number", ["S1"], app="com.google.Chrome", version="130"),
    query(11, "app_versions", "version", ["16.10", "16.9", "unknown"], app="Word", platform="Mac"),
    query(12, "macs_missing_app", "serial_number", ["S2", "s2", "S4", "S8"], app="falcon"),
    query(13, "rare_apps", "app", ["Falcon", "zoom.us", "ソフト", "Edge", "Google Chrome"]),
    query(15, "app_inventory", "devices", [1] * 10 + [2]),
    query(16, "macs_without_filevault", "serial_number", ["s2", "S4"]),
    query(17, "macs_without_escrowed_key", "serial_number", ["S2"]),
    query(18, "activation_lock", "lock_kind", ["user", "device"]),
    query(19, "unsupervised_mobile_devices", "serial_number", ["S6"]),
    query(20, "macs_without_firewall_or_gatekeeper", "serial_number", ["S2"], with_unknown=False),
    query(21, "macs_without_sip", "serial_number", ["s2"], with_unknown=False),
    query(22, "local_accounts", "username", ["ann"], which="admin"),
    query(23, "expiring_certificates", "common_name", ["VPN"]),
    query(24, "devices_missing_profile", "serial_number", ["S5"], profile="Wi-Fi Corporate", platform="iPad"),
    query(25, "extensions_in_use", "macs", [1]),
    query(26, "macs_with_old_agent", "serial_number", ["S2", "s2", "S4", "S8"], version="4.10"),
    query(27, "failed_library_items", "serial_number", ["S1"]),
    query(28, "pending_library_items", "serial_number", ["S2"]),
    query(29, "failing_parameters", "errors", [1], blueprint="Engineering"),
    query(
        31,
        "compliance_rate",
        "rule",
        [*MAC_RULES, *OTHER_RULES],
    ),
    query(32, "filevault_coverage", "percent_on", [33.3, 75.0], days=2),
    query(33, "device_changes", "event", ["user", "vanished", "appeared"], hours=12),
    query(35, "devices_with_cve", "serial_number", ["s2"], cve="CVE-2024-1"),
    query(36, "risky_devices", "serial_number", ["s2"]),
    query(37, "sensitive_actions", "serial_number", ["S1"]),
    query(38, "replacement_candidates", "serial_number", ["S1", "S2"]),
    query(39, "licence_usage", "max_devices", [10]),
]
"""Those that one named query answers; 14, 30 and 34 are about one device, 40 is no reading."""


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerContext]:
    home = tmp_path_factory.mktemp("home")
    agent_fleet(home)
    found = ServerContext(Settings(mirror_home=str(home)))
    yield found
    found.close()


@pytest.mark.heavy
def test_every_question_is_answered_by_one_query_exactly_dated_and_in_few_tokens(mirror: ServerContext) -> None:
    wanted = [("run_query", {"name": name, "params": params}) for _, name, params, _, _ in QUESTIONS]
    found = calls(mirror, "auto", *wanted)

    for (number, _, _, column, expected), result in zip(QUESTIONS, found, strict=True):
        document = json.loads(said(result))
        place = document["columns"].index(column)
        assert sorted(map(str, (row[place] for row in document["rows"]))) == sorted(map(str, expected)), number
        assert document["as_of"], number
        assert document["age"], number
        assert len(said(result)) / 4 < TOKENS, number


def test_everything_about_one_device_is_one_answer(mirror: ServerContext, era: Era) -> None:
    found = answer(mirror, era, "device_profile", device="S1", include=["apps"])

    parts = found["parts"]
    assert (parts["device"]["device_name"], parts["person"]["user_email"]) == (ROBERT, "Ann@example.org")
    assert parts["security"]["filevault_on"] is True
    assert parts["compliance"]["rows"][0][:2] == ["all_rules", "unknown"]
    assert [row[:2] for row in parts["failing_items"]["rows"]] == [
        ["library item", "Slack"],
        ["parameter", "Disable Guest"],
    ]
    assert ["Falcon", "7.1"] in parts["apps"]["rows"]
    assert (parts["threats"], parts["app_count"]["apps"]) == ("none", 4)
    assert "old@example.org" in json.dumps(parts["recent_changes"])
    assert found["as_of"].startswith(f"{READ:%Y-%m-%dT%H:%M}")
    assert len(json.dumps(found)) / 4 < TOKENS


def test_why_a_device_is_not_compliant_is_in_its_profile(mirror: ServerContext, era: Era) -> None:
    parts = answer(mirror, era, "device_profile", device="d3")["parts"]

    failed = {rule for rule, verdict, *_ in parts["compliance"]["rows"] if verdict == "fail"}
    assert {"filevault_on", "sip_on"} <= failed
    assert parts["threats"]["rows"][0][1:3] == ["A", "MALWARE"]
    assert parts["vulnerabilities"]["rows"][0][0] == "CVE-2024-1"


def test_what_was_not_read_of_a_device_is_not_called_none(mirror: ServerContext, era: Era) -> None:
    parts = answer(mirror, era, "device_profile", device="d3")["parts"]

    assert [row[:3] for row in parts["failing_items"]["rows"]] == [
        ["library item", None, "unknown"],
        ["parameter", None, "unknown"],
    ]


@pytest.mark.heavy
def test_a_table_that_was_never_read_is_not_called_empty(tmp_path: Path, era: Era) -> None:
    publish(tmp_path, {"devices": [device(1)], "vulnerability_detections": []})
    with opened(tmp_path) as mirror:
        found = answer(mirror, era, "device_profile", device="d1")

    assert (found["parts"]["vulnerabilities"], found["parts"]["threats"]) == ("none", "none known, see notes")
    assert found["parts"]["app_count"] == "not known"
    assert any("threats" in note and "never synced" in note for note in found["notes"])


@pytest.mark.heavy
def test_what_changed_on_a_device_is_one_answer(mirror: ServerContext, era: Era) -> None:
    found = answer(mirror, era, "changes", since="7d", device="S1")

    assert found["columns"] == ["changed_at", "what"]
    assert [what for _, what in found["rows"]] == [
        "owner old@example.org -> Ann@example.org, os 14.0 -> 15.1",
        "FileVault: key_escrowed false -> true, status false -> true",
    ]
    assert found["summary"] == [["device", "changed", 1, 1], ["FileVault", "changed", 1, 1]]
    assert list(found).index("summary") < list(found).index("rows")
    assert any(note.startswith("History begins on ") for note in found["notes"])


def test_a_device_that_is_gone_is_still_known_to_changes(mirror: ServerContext, era: Era) -> None:
    found = answer(mirror, era, "changes", device="gone mac", since="2d")

    assert found["summary"] == [["device", "removed", 1, 1]]
    assert found["rows"][0][1] == "device removed"


def test_two_moments_of_a_table_are_compared(mirror: ServerContext, era: Era) -> None:
    found = answer(mirror, era, "changes", compare=True, table="devices", since="23h", limit=5)

    assert found["summary"] == [
        ["devices", "other", 1, None],
        ["devices", "only then", 1, None],
        ["devices", "only now", 1, None],
    ]
    assert "compare two moments name a table" in refusal(mirror, era, "changes", compare=True)
    assert answer(mirror, era, "changes", compare=True, table="Devices", since="23h", limit=5)["rows"] == found["rows"]
    by_case = [answer(mirror, era, "changes", table=name) for name in ("DEVICES", "devices")]
    assert by_case[0]["rows"] == by_case[1]["rows"]  # the notes tell ages, which go on


@pytest.mark.parametrize(
    ("asked", "match", "serials"),
    [
        ("d1", "exact", ["S1"]),
        (ROBERT, "exact", ["S1"]),
        ("007", "exact", ["s2"]),
        ("twin", "exact", ["S2", "s2"]),
        ("jane's", "part of the name", ["S8"]),
        ("\U0001f98a", "part of the name", ["S4"]),
        ("ann@example.org", "person", ["S1", "S2", "s2"]),
        ("Jaens MacBok", "similar", ["S8"]),
        ("../devices/d1/secrets/filevaultkey", None, []),
        ("' OR 1=1 --", None, []),
        ("行列", None, []),
    ],
)
def test_devices_are_found_exactly_before_partly_before_similarly(
    mirror: ServerContext, asked: str, match: str | None, serials: list[str]
) -> None:
    found = answer(mirror, "auto", "find_device", device=asked)

    places = [found["columns"].index(name) for name in ("match", "serial_number")]
    assert sorted(row[places[1]] for row in found["rows"]) == sorted(serials)
    assert {row[places[0]] for row in found["rows"]} <= {match}
    assert match in ("exact", "part of the name", "person") or "No device fits" in found["notes"][-1]


@pytest.mark.slow
def test_several_devices_of_one_name_are_told_apart_before_anything_is_said_of_one(
    mirror: ServerContext, era: Era
) -> None:
    said_ = refusal(mirror, era, "device_profile", device="Twin")

    assert said_.startswith(
        "2 devices fit 'Twin', newest contact first: 'Twin' (serial S2, id d2, MacBook Air, Ann Lee, last contact "
    )
    assert "; 'twin' (serial s2, id d3, " in said_
    assert answer(mirror, era, "device_profile", device="s2")["parts"]["device"]["device_id"] == "d3"


@pytest.mark.slow
def test_a_long_list_is_short_at_first_and_whole_on_request(tmp_path: Path) -> None:
    publish(tmp_path, {"devices": [device(n, last_check_in=None) for n in range(220)]})
    era: Era = "auto"
    with opened(tmp_path) as mirror:
        first = answer(mirror, era, "run_query", name="stale_devices")
        arguments = {"name": "stale_devices", "columns": ["serial_number"], "limit": 220}
        whole = answer(mirror, era, "run_query", **arguments)
        rest = answer(mirror, era, "run_query", name="stale_devices", columns=["serial_number"], offset=218)

    assert (first["total_rows"], first["truncated"]) == (220, True)
    assert first["same_in_all_rows"]["platform"] == "Mac"
    assert any(note.startswith("Rows 1 to ") for note in first["notes"])
    assert len(json.dumps(first)) / 4 < TOKENS
    assert (whole["row_count"], whole["truncated"], len({row[0] for row in whole["rows"]})) == (220, False, 220)
    assert (rest["row_count"], rest["total_rows"], rest["truncated"]) == (2, 220, False)
