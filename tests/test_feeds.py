"""Documents of public feeds, from files: recognised, taken apart, published as rows of the tenant are, or refused."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from commands import run
from support import manifest_of, mirrored, synced

from kandji_mirror.feeds.load import load_files
from kandji_queries.reader import Reader
from kandji_schema.errors import Suspicious, UsageError
from kandji_schema.feeds import FEEDS
from kandji_schema.manifest import State
from kandji_schema.privacy import Privacy
from kandji_schema.registry import feed_tables

FIXTURES = Path(__file__).parent / "feeds"
MACOS, IOS, KEV = (FIXTURES / f"{name}.json" for name in ("sofa_macos", "sofa_ios", "kev"))
REAL = Path(__file__).parents[2] / "shared" / "feeds"
AT = datetime(2026, 11, 13, 8, tzinfo=UTC)


def loaded(home: Path, *files: Path, **how: Any) -> State:
    """The state of the releases, or of the catalogue, after these files were loaded."""
    report = load_files(home, "acme", files, wall=lambda: AT, **how)
    return report.outcomes[0].state


def changed(path: Path, source: Path, change: Callable[[Any], None]) -> Path:
    """A copy of a document with a change in it."""
    document = json.loads(source.read_text(encoding="utf-8"))
    change(document)
    target = path / f"changed-{source.name}"
    target.write_text(json.dumps(document), encoding="utf-8")
    return target


def asked(reader: Reader, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in reader.run(sql).rows]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with all three documents."""
    made = tmp_path_factory.mktemp("feeds")
    assert loaded(made, MACOS, IOS, KEV) is State.OK
    return made


@pytest.fixture(scope="module")
def reader(home: Path) -> Iterator[Reader]:
    """A reader of that home, of which nothing changes."""
    with Reader(home, clock=lambda: AT) as opened:
        yield opened


def test_every_release_of_the_documents_is_a_row(reader: Reader) -> None:
    counts = asked(reader, "SELECT os, count(*), count(DISTINCT version) FROM os_releases GROUP BY os ORDER BY os")
    assert counts == [("iOS", 10, 8), ("macOS", 12, 10)]
    twice = "SELECT version, ordinal, days_since_previous FROM os_releases WHERE version = '18.7.2' ORDER BY ordinal"
    assert asked(reader, twice) == [("18.7.2", 1, 0), ("18.7.2", 2, 43)]


def test_a_release_is_told_as_the_feed_tells_it(reader: Reader) -> None:
    sql = """SELECT name, build, builds, major, major_name, release_date::VARCHAR, expiration_date::VARCHAR,
        release_type, scope, supported_models, cve_count, exploited_count, exploited_cves, security_page,
        days_since_previous
        FROM os_releases WHERE os = 'macOS' AND version = '26.2' AND version_extra IS NULL"""
    assert asked(reader, sql) == [
        (
            *("macOS Tahoe 26.2", "25C56", ["25C56", "25C57"], "26", "Tahoe", "2026-10-27 00:00:00"),
            *("2027-01-27 00:00:00", "OS", "universal", None, 4, 1, ["CVE-2026-90004"]),
            *("https://support.example/security/26.2", 19),
        )
    ]


def test_an_improvement_is_a_release_with_its_letter(reader: Reader) -> None:
    sql = """SELECT name, release_type, build, prerequisite_build, release_date::VARCHAR, cve_count, exploited_count,
        len(supported_models) FROM os_releases WHERE version_extra = '(a)' ORDER BY os, version"""
    assert asked(reader, sql) == [
        ("iOS 26.2 (a)", "BSI", "23C771055a", "23C55", "2026-11-12 00:00:00", None, None, 3),
        ("macOS Tahoe 26.2 (a)", "BSI", "25C771056a", "25C56", "2026-11-02 00:00:00", 1, None, 5),
        ("macOS Tahoe 26.2.1 (a)", "BSI", "25C771080a", "25C80", "2026-11-12 00:00:00", 1, None, 5),
    ]


def test_boards_are_told_as_models_all_of_one_name(reader: Reader) -> None:
    """The feed gives each board one model; both models of the 16-inch of 2019 are meant."""
    sql = """SELECT version, supported_models FROM os_releases WHERE os = 'macOS' AND version IN ('26.1', '26.1.1')
        ORDER BY 1"""
    both = ["MacBookPro16,4", "MacBookPro16,1"]
    assert asked(reader, sql) == [("26.1", ["Mac14,2", "Mac15,3", *both, "VMM-arm64"]), ("26.1.1", ["Mac17,2"])]


def test_models_have_the_newest_version_they_can_run(reader: Reader) -> None:
    sql = "SELECT model_identifier, os, majors, newest_major, newest_version FROM device_models ORDER BY 1"
    found = {row[0]: row[1:] for row in asked(reader, sql)}
    assert len(found) == 13
    assert found["Mac14,2"] == ("macOS", ["26", "15", "13"], "26", "26.2.1")
    assert found["MacBookAir9,1"] == ("macOS", ["15", "13"], "15", "15.7.3")
    assert found["iMac18,3"] == ("macOS", ["13"], "13", "13.7.8")
    assert found["iPhone14,5"] == ("iOS", ["26", "18"], "26", "26.2")
    assert found["iPhone11,8"] == ("iOS", ["18"], "18", "18.7.3")
    assert found["iPad7,3"] == ("iOS", ["17"], "17", "17.7.10")


def test_fixes_say_what_was_exploited_and_nothing_where_the_feed_does_not(reader: Reader) -> None:
    sql = """SELECT cve_id, exploited, in_kev, severity FROM os_release_cves WHERE version = '26.2' AND os = 'macOS'
        ORDER BY 1"""
    assert asked(reader, sql) == [
        ("CVE-2026-90002", None, None, None),
        ("CVE-2026-90003", None, None, None),
        ("CVE-2026-90004", True, False, "Critical"),
        ("CVE-2026-90005", None, None, None),
        ("CVE-2026-90006", None, None, None),
    ]


def test_the_catalogue_has_due_dates(reader: Reader) -> None:
    sql = """SELECT cve_id, vendor, due_date::VARCHAR, known_ransomware, cwes FROM known_exploited_vulnerabilities
        ORDER BY cve_id LIMIT 2 OFFSET 2"""
    assert asked(reader, sql) == [
        ("CVE-2026-90020", "Apple", "2025-09-11 00:00:00", None, ["CWE-787"]),
        ("CVE-2026-90060", "Example Corp", "2026-09-23 00:00:00", True, ["CWE-843"]),
    ]


def test_rows_are_as_old_as_their_documents_say(home: Path) -> None:
    tables = manifest_of(home).tables
    assert tables["os_releases"].synced_at == datetime(2026, 11, 12, 6, 45, 3, 57991, tzinfo=UTC)
    assert tables["known_exploited_vulnerabilities"].synced_at == datetime(2026, 11, 12, 15, 4, 19, 979600, tzinfo=UTC)
    assert {tables[name].method for name in feed_tables()} == {"feed file"}


def test_an_old_feed_is_said_and_the_rows_are_dated(reader: Reader) -> None:
    answer = reader.run("SELECT count(*) FROM os_releases")
    assert answer.as_of == {"os_releases": "2026-11-12T06:45:03Z"}
    assert len(answer.notes) == 1
    assert answer.notes[0].startswith("os_releases: 25 h old, due after 6 h")


def test_what_was_never_read_is_unknown_and_no_trouble(tmp_path: Path) -> None:
    assert loaded(tmp_path, KEV) is State.OK
    with Reader(tmp_path, clock=lambda: AT) as reader:
        (note,) = reader.run("SELECT count(*) FROM os_releases").notes
        off = reader.run("SELECT table_name, is_fresh FROM freshness WHERE state = 'off' ORDER BY 1").rows
    assert note.startswith("os_releases: nothing of the public feed sofa was ever read, so nothing is known")
    assert [tuple(row) for row in off] == [(name, None) for name in sorted(FEEDS["sofa"].tables)]


def test_a_second_load_of_the_same_changes_nothing(home: Path) -> None:
    report = load_files(home, "acme", [KEV], wall=lambda: AT)
    assert [(outcome.table, outcome.changed) for outcome in report.outcomes] == [
        ("known_exploited_vulnerabilities", False)
    ]


def test_the_rows_of_a_document_that_did_not_come_stay(tmp_path: Path) -> None:
    assert loaded(tmp_path, MACOS) is State.PARTIAL
    assert manifest_of(tmp_path).tables["os_releases"].error == "No document of iOS was read yet."
    assert loaded(tmp_path, IOS) is State.OK
    newer = changed(tmp_path, MACOS, lambda found: found["OSVersions"][2]["SecurityReleases"].pop())
    assert loaded(tmp_path, newer) is State.OK
    with Reader(tmp_path, clock=lambda: AT) as reader:
        counts = asked(reader, "SELECT os, count(*) FROM os_releases GROUP BY os ORDER BY os")
    assert counts == [("iOS", 10), ("macOS", 11)]
    assert len(mirrored(tmp_path, "device_models")) == 13


def test_unknown_fields_and_odd_values_are_kept_and_counted(tmp_path: Path) -> None:
    def odd(found: Any) -> None:
        found["Newsletter"] = "monthly"
        newest, second, *_ = found["OSVersions"][0]["SecurityReleases"]
        newest |= {"Rating": 5, "UniqueCVEsCount": "many", "ReleaseDate": "soon", "CVEs": "none"}
        second |= {"AllBuilds": "25C56", "SupportedDevices": {"J413AP": 1}}
        found["OSVersions"][1]["SecurityReleases"] += ["a text", None]
        found["OSVersions"].append(7)

    assert loaded(tmp_path, changed(tmp_path, MACOS, odd)) is State.PARTIAL
    drift = manifest_of(tmp_path).tables["os_releases"].drift
    assert drift.unknown == {"Rating": 1, "Newsletter": 1}
    wrong = {"UniqueCVEsCount": 1, "ReleaseDate": 1, "AllBuilds": 1, "SupportedDevices": 1, "(no object)": 3}
    assert drift.odd == wrong
    assert manifest_of(tmp_path).tables["os_release_cves"].drift.odd == {"(no object)": 1}
    sql = "SELECT cve_count, release_date, extra FROM os_releases WHERE version = '26.2.1' AND version_extra IS NULL"
    with Reader(tmp_path, clock=lambda: AT) as reader:
        ((count, date, extra),) = asked(reader, sql)
    assert (count, date, json.loads(extra)) == (
        None,
        None,
        {"Rating": 5, "UniqueCVEsCount": "many", "ReleaseDate": "soon"},
    )


def without_releases(found: Any) -> None:
    for major in found["OSVersions"]:
        major["SecurityReleases"] = []


BAD: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "page": (b"<!DOCTYPE html><html></html>", "is a web page"),
    "cut": (MACOS.read_bytes()[:9_000], "no whole JSON"),
    "list": (b"[1, 2]", "of no feed that is known (sofa, kev): it has a list"),
    "other": (b'{"name": 1, "two": 2}', "it has 'name', 'two'"),
    "deep": (b'{"OSVersions": ' + b"[" * 2_000 + b"]" * 2_000 + b"}", "nested"),
    "first version": (json.dumps({"UpdateHash": "", "OSVersions": [{}]}).encode(), "SOFA's first version"),
    "third version": (json.dumps({"Version": "3.0", "OSVersions": [{}]}).encode(), "SOFA's version '3.0'"),
    "other system": (MACOS.read_bytes().replace(b'"ProductName": "macOS"', b'"ProductName": "tvOS"'), "tells of tvOS"),
    "no version": (json.dumps({"Version": "2.0", "OSVersions": []}).encode(), "has no release"),
    "no vulnerability": (b'{"vulnerabilities": []}', "has no vulnerability"),
    "fewer than counted": (
        KEV.read_bytes().replace(b'"count": 4', b'"count": 9'),
        "counts 9 vulnerabilities and has 4",
    ),
}


def test_what_is_no_document_changes_nothing(home: Path, tmp_path: Path) -> None:
    before = manifest_of(home).generation
    file = tmp_path / "document.json"
    for body, words in BAD.values():
        file.write_bytes(body)
        with pytest.raises(Suspicious) as told:
            loaded(home, KEV, file) if b"vulnerab" not in body else loaded(home, file)
        assert words in str(told.value)
        assert str(told.value).endswith("Nothing was changed.")
    assert manifest_of(home).generation == before


def test_a_document_that_lost_most_rows_is_not_believed_unless_it_is_said(home: Path, tmp_path: Path) -> None:
    few = changed(tmp_path, KEV, lambda found: found.update(count=1, vulnerabilities=found["vulnerabilities"][:1]))
    with pytest.raises(Suspicious, match="It has 1 rows for known_exploited_vulnerabilities, 4 before"):
        loaded(home, few)
    assert len(mirrored(home, "known_exploited_vulnerabilities")) == 4
    loaded(tmp_path, KEV)
    assert loaded(tmp_path, few, accept_fewer=True) is State.OK
    assert len(mirrored(tmp_path, "known_exploited_vulnerabilities")) == 1


def test_files_are_refused_with_the_reason(home: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="are both macOS"):
        loaded(home, MACOS, MACOS)
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        loaded(home, tmp_path / "nothing.json")
    with pytest.raises(Suspicious, match="one of the feed kev, not of sofa"):
        loaded(home, KEV, feed=FEEDS["sofa"])


@pytest.mark.heavy
def test_the_command_loads_and_says_how_old_it_is(tmp_path: Path) -> None:
    ended = run(tmp_path, "feed", "load", str(MACOS), str(KEV), KANDJI_SUBDOMAIN="acme")
    assert ended.returncode == 0, ended.stderr
    assert "os_releases 12 rows, os_release_cves 19 rows, device_models 8 rows." in ended.stderr
    assert "sofa: No document of iOS was read yet." in ended.stderr
    refused = run(tmp_path, "feed", "load", "--feed", "kev", str(MACOS), KANDJI_SUBDOMAIN="acme")
    assert (refused.returncode, "not of kev" in refused.stderr) == (4, True)
    (tmp_path / "new").mkdir()
    assert run(tmp_path / "new", "feed", "load", str(KEV)).returncode == 3


@pytest.mark.slow
def test_words_of_a_feed_are_never_pseudonyms(tmp_path: Path) -> None:
    """A vendor called as somebody of the tenant would tell whose pseudonym stands there."""
    tenant = synced(tmp_path, 20, "users", facts={"privacy": Privacy.AGENTS})
    name = next(str(row["name"]) for row in tenant.world.truth("users") if row.get("name"))

    def called_so(found: Any) -> None:
        found["vulnerabilities"][0] |= {"vendorProject": name, "notes": f"Ask {name}."}

    load_files(tmp_path, "loopback", [changed(tmp_path, KEV, called_so)], privacy=Privacy.AGENTS, wall=lambda: AT)
    with Reader(tmp_path, masked=True, clock=lambda: AT) as reader:
        sql = "SELECT vendor, notes FROM known_exploited_vulnerabilities WHERE cve_id = 'CVE-2026-90001'"
        assert [tuple(row) for row in reader.run(sql).rows] == [(name, f"Ask {name}.")]


def test_a_feed_read_with_privacy_on_is_said_to_be_old_and_not_to_have_pseudonyms(tmp_path: Path) -> None:
    load_files(tmp_path, "acme", [KEV], privacy=Privacy.ON, wall=lambda: AT)
    with Reader(tmp_path, clock=lambda: AT + timedelta(days=9)) as reader:
        (note,) = reader.run("FROM known_exploited_vulnerabilities").notes
    assert "pseudonyms" not in note
    assert " old, due after 12 h" in note


@pytest.mark.skipif(not REAL.is_dir(), reason="the real copies of the feeds are not in this clone")
def test_the_real_documents_are_taken_whole(tmp_path: Path) -> None:
    files = [REAL / name for name in ("sofa-v2-macos_data_feed.json", "sofa-v2-ios_data_feed.json", "kev.json")]
    report = load_files(tmp_path, "acme", files, wall=lambda: AT)
    assert {outcome.state for outcome in report.outcomes} == {State.OK}
    assert {outcome.table: (outcome.drift.unknown, outcome.drift.odd) for outcome in report.outcomes} == dict.fromkeys(
        feed_tables(), ({}, {})
    )
    documents = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    releases = [r for d in documents[:2] for major in d["OSVersions"] for r in major["SecurityReleases"]]
    improvements = [i for d in documents[:2] for some in d["BackgroundSecurityImprovements"].values() for i in some]
    rows = {outcome.table: outcome.rows for outcome in report.outcomes}
    assert rows["os_releases"] == len(releases) + len(improvements)
    assert rows["known_exploited_vulnerabilities"] == len(documents[2]["vulnerabilities"])
