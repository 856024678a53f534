"""Public feeds over the network: asked for once and conditionally, believed as a whole, never a tenant's loss."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from commands import run
from feed_server import IOS, KEV, MACOS, FeedHost, Told, feed_host
from reads_home import small_fleet
from support import manifest_of, mirrored, synced

from kandji_mcp_server.http.health import health
from kandji_mirror.feeds.load import load_files
from kandji_mirror.feeds.update import FeedSources, note_turned_off, update_feeds
from kandji_mirror.report import Report
from kandji_mirror.scheduler.feeds import FeedWorker
from kandji_mirror.scheduler.queue import Batch, RefreshQueue, RefreshRequest
from kandji_mirror.store.opening import open_store
from kandji_queries.reader import Reader
from kandji_queries.results.data_notes import SYNC_COMMAND
from kandji_schema.errors import ConfigurationError, UsageError
from kandji_schema.feed_state import documents
from kandji_schema.feeds import FEEDS
from kandji_schema.manifest import State
from kandji_schema.registry import feed_tables, resources, tenant_table
from kandji_schema.settings import Settings, load
from kandji_simulator import TOKEN, serve

AT = datetime(2026, 11, 13, 8, tzinfo=UTC)
IOS_PATH, MACOS_PATH = "/ios_data_feed.json", "/macos_data_feed.json"


@pytest.fixture
def host() -> Iterator[FeedHost]:
    with feed_host() as found:
        yield found


def settings_of(host: FeedHost, feeds: str = "sofa") -> Settings:
    """Settings with feeds that lie there."""
    return load({"KANDJI_MIRROR_FEEDS": feeds, **host.settings}, folder=Path("/"), config=Path("/nowhere/config.toml"))


def updated(home: Path, host: FeedHost, *, at: datetime = AT, feeds: str = "sofa") -> Report:
    """What came of asking for feeds."""
    sources = FeedSources.of(settings_of(host, feeds))
    with open_store(home, "acme", resources(), lambda: at) as store:
        return update_feeds(store, sources, sources.feeds, keep_days=400)


def state_of(home: Path, table: str = "os_releases") -> Any:
    return manifest_of(home).tables[table]


def test_each_document_is_asked_for_once_and_nothing_else_is_sent(tmp_path: Path, host: FeedHost) -> None:
    report = updated(tmp_path, host, feeds="sofa,kev")
    assert {outcome.state for outcome in report.outcomes} == {State.OK}
    assert sorted(path for path, _ in host.asked) == sorted(host.answers)
    for _, headers in host.asked:
        assert headers.keys() <= {"host", "accept", "accept-encoding", "connection", "user-agent"}
    assert len(mirrored(tmp_path, "os_releases")) == 22
    assert state_of(tmp_path).synced_at == AT


def test_a_version_that_is_here_is_not_sent_again_and_counts_as_read_now(tmp_path: Path, host: FeedHost) -> None:
    updated(tmp_path, host)
    later = AT + timedelta(hours=7)
    report = updated(tmp_path, host, at=later)
    assert [headers.get("if-none-match") for _, headers in host.asked] == [None, None, '"1"', '"1"']
    assert not any(outcome.changed for outcome in report.outcomes)
    assert (state_of(tmp_path).synced_at, state_of(tmp_path).state) == (later, State.OK)
    (tmp_path / "store" / "feeds.json").write_text("{", encoding="utf-8")  # damaged: then it is read anew
    updated(tmp_path, host, at=later)
    assert host.asked[-1][1].get("if-none-match") is None


def test_an_older_state_is_not_taken_for_the_version_that_was_noted(tmp_path: Path, host: FeedHost) -> None:
    updated(tmp_path, host)
    macos = json.loads(MACOS.read_text())
    macos["OSVersions"][0]["SecurityReleases"][0]["ProductVersion"] = "26.2.9"
    host.answers[MACOS_PATH] = Told(body=json.dumps(macos).encode(), headers={"ETag": '"2"'})
    updated(tmp_path, host, at=AT + timedelta(hours=7))
    max((tmp_path / "store" / "manifests").iterdir()).write_bytes(b"damaged")  # so the state before it is the newest
    updated(tmp_path, host, at=AT + timedelta(hours=14))
    with Reader(tmp_path) as reader:
        told = reader.run("SELECT count(*) FROM os_releases WHERE os = 'macOS' AND version = '26.2.9'")
    assert (told.rows, state_of(tmp_path).state) == ([(1,)], State.OK)


def test_a_feed_whose_makers_stopped_is_as_old_as_it_says(tmp_path: Path, host: FeedHost) -> None:
    updated(tmp_path, host, at=AT + timedelta(days=30))
    assert state_of(tmp_path).synced_at == datetime(2026, 11, 12, 6, 45, 3, 57991, tzinfo=UTC)
    assert state_of(tmp_path).note == "The feed was last made on 2026-11-12; nothing newer is offered there."


def fewer(source: Path) -> bytes:
    document = json.loads(source.read_text(encoding="utf-8"))
    document["OSVersions"] = document["OSVersions"][2:]
    return json.dumps(document).encode()


BAD: dict[str, tuple[Told, str]] = {
    "gone": (Told(404), "answered 404"),
    "fault": (Told(503, b"busy"), "answered 503"),
    "page": (Told(body=b"<html>Sign in</html>"), "is a web page"),
    "empty": (Told(body=b""), "is empty"),
    "cut": (Told(body=IOS.read_bytes()[:5_000]), "no whole JSON"),
    "cut on the way": (Told(body=IOS.read_bytes()[:5_000], length=11_000), "closed in the middle"),
    "huge": (Told(body=gzip.compress(bytes(33 * 1024 * 1024)), headers={"Content-Encoding": "gzip"}), "larger than"),
    "first version": (Told(body=b'{"UpdateHash": "", "OSVersions": [{}]}'), "SOFA's first version"),
    "no release": (Told(body=b'{"Version": "2.0", "OSVersions": []}'), "has no release"),
    "fewer": (Told(body=fewer(IOS)), "It has 2 rows for os_releases, 10 before"),
    "the other one": (Told(body=MACOS.read_bytes()), "What came is the document of macOS"),
    "another feed": (Told(body=KEV.read_bytes()), "is one of the feed kev, not of sofa"),
    "elsewhere": (Told(302, headers={"Location": "http://localhost:1/x"}), "redirected to 'http://localhost', another"),
    "a part": (Told(206, IOS.read_bytes()[:5_000]), "answered 206"),
    "round": (Told(301, headers={"Location": IOS_PATH}), "redirected again and again"),
}


@pytest.mark.slow
def test_a_bad_document_keeps_its_rows_while_the_good_one_is_taken(tmp_path: Path, host: FeedHost) -> None:
    updated(tmp_path, host)
    before = [row for row in mirrored(tmp_path, "os_releases") if row[0] == "iOS"]
    newer = json.loads(MACOS.read_text(encoding="utf-8"))
    newer["OSVersions"][2]["SecurityReleases"].pop()
    host.answers[MACOS_PATH] = Told(body=json.dumps(newer).encode(), headers={"ETag": '"2"'})
    for number, (answer, words) in enumerate(BAD.values(), start=1):
        host.answers[IOS_PATH] = answer
        updated(tmp_path, host, at=AT + timedelta(minutes=number))
        found = state_of(tmp_path)
        assert found.state is State.FAILED
        assert found.error.startswith("iOS: ")
        assert words in found.error
        assert (found.rows, found.synced_at) == (21, AT)
    assert [row for row in mirrored(tmp_path, "os_releases") if row[0] == "iOS"] == before
    assert documents(tmp_path)["sofa/iOS"].etag == '"1"'
    host.answers[IOS_PATH] = Told(body=IOS.read_bytes(), headers={"ETag": '"1"'})
    updated(tmp_path, host, at=AT + timedelta(hours=1))
    assert (state_of(tmp_path).state, state_of(tmp_path).error) == (State.OK, None)


@pytest.mark.many
def test_a_redirect_on_the_same_host_is_followed_once(tmp_path: Path, host: FeedHost) -> None:
    host.answers["/elsewhere.json"] = Told(body=IOS.read_bytes())
    host.answers[IOS_PATH] = Told(307, headers={"Location": "/elsewhere.json"})
    assert {outcome.state for outcome in updated(tmp_path, host).outcomes} == {State.OK}


@pytest.mark.many
def test_a_host_that_is_not_there_fails_the_feed_alone(tmp_path: Path, host: FeedHost) -> None:
    host.answers = {IOS_PATH: Told(304)}  # though nobody asked whether it is the same
    report = updated(tmp_path, host)
    assert {outcome.state for outcome in report.outcomes} == {State.FAILED}
    assert state_of(tmp_path).rows == 0


def test_feeds_are_due_each_by_its_own_time(tmp_path: Path, host: FeedHost) -> None:
    sources = FeedSources.of(settings_of(host, "kev,sofa"))

    def due(after: timedelta) -> list[str]:
        return [feed.name for feed in sources.due(manifest_of(tmp_path).tables, AT + after)]

    host.answers[IOS_PATH] = Told(500)
    updated(tmp_path, host, feeds="sofa,kev")
    assert due(timedelta(minutes=29)) == []
    assert due(timedelta(minutes=31)) == ["sofa"]  # it failed
    assert due(timedelta(hours=13)) == ["kev", "sofa"]
    assert due(timedelta(days=-1)) == ["kev", "sofa"]  # read by a clock that was ahead


def test_the_background_reads_feeds_and_does_what_is_asked_of_them(tmp_path: Path, host: FeedHost) -> None:
    queue = RefreshQueue()
    with open_store(tmp_path, "acme", resources(), lambda: AT) as store:
        worker = FeedWorker(store, queue, FeedSources.of(settings_of(host)), keep_days=400)
        assert [job.name for job in worker.jobs()] == ["feeds"]
        worker.update_due()
        assert store.current.tables["os_releases"].rows == 22
        worker.update_due()
        assert len(host.asked) == 2
        load_kev = RefreshRequest.of_feeds([FEEDS["kev"]], [KEV])
        update = RefreshRequest.of_feeds([FEEDS["sofa"]])
        for request in (load_kev, update):
            queue.add(request)
            batch = queue.next_batch()
            assert batch == Batch((request,))
            worker.fulfil(batch)
        assert [outcome.rows for outcome in load_kev.done.result(0).outcomes] == [4]
        assert len(host.asked) == 4
        assert {outcome.state for outcome in update.done.result(0).outcomes} == {State.OK}
        idle = FeedWorker(store, queue, FeedSources(), keep_days=400)
        assert idle.jobs() == ()


def test_a_feed_is_no_table_of_the_tenant() -> None:
    with pytest.raises(UsageError, match="of the public feed sofa: `kandji-mirror feed update sofa` reads it"):
        tenant_table("os_releases")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("KANDJI_MIRROR_FEEDS", "sofa,keef", "there is no feed 'keef'. Did you mean kev"),
        ("KANDJI_MIRROR_FEED_SOFA_URL", "http://feeds.example", "must be a plain address that begins with https://"),
        ("KANDJI_MIRROR_FEED_SOFA_URL", "https://me:pass@feeds.example", "must be a plain address"),
        ("KANDJI_MIRROR_FEED_SOFA_URL", "file:///etc/passwd", "must be a plain address"),
        ("KANDJI_MIRROR_FEED_SOFA_URL", "https://[", "must be a plain address"),
    ],
)
def test_wrong_settings_are_named(name: str, value: str, words: str) -> None:
    settings = load({"KANDJI_MIRROR_FEEDS": "sofa", name: value}, folder=Path("/"), config=Path("/nowhere/config.toml"))
    with pytest.raises(ConfigurationError, match=words.replace("?", "[?]")):
        FeedSources.of(settings)


def test_a_folder_turns_no_feed_on_and_changes_no_host(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("KANDJI_MIRROR_FEEDS=sofa\nKANDJI_MIRROR_FEED_SOFA_URL=https://evil.example\n")
    settings = load({}, folder=tmp_path, config=tmp_path / "config.toml")
    assert (settings.mirror_feeds, settings.mirror_feed_sofa_url) == ("", "")
    assert FeedSources.of(settings) == FeedSources()


def test_the_command_asks_for_what_is_on_and_says_what_did_not_come(tmp_path: Path, host: FeedHost) -> None:
    on = {"KANDJI_SUBDOMAIN": "acme", "KANDJI_MIRROR_FEEDS": "sofa", **host.settings}
    off = run(tmp_path, "feed", "update", "kev", **on)
    assert (off.returncode, "Set KANDJI_MIRROR_FEEDS=sofa,kev" in off.stderr) == (2, True)
    host.answers[IOS_PATH] = Told(500)
    ended = run(tmp_path, "feed", "update", **on)
    assert ended.returncode == 4
    assert "sofa: iOS: GET" in ended.stderr
    assert len(mirrored(tmp_path, "os_releases")) == 12


def notes_of(home: Path, table: str = "os_releases", *, at: datetime = AT, remedy: str = SYNC_COMMAND) -> list[str]:
    """What is said of an answer out of a table."""
    with Reader(home, clock=lambda: at, remedy=remedy) as reader:
        return reader.run(f"SELECT count(*) FROM {table}").notes


def test_what_is_off_is_no_trouble_and_said_where_it_is_asked_for(tmp_path: Path) -> None:
    small_fleet(tmp_path)
    (note,) = notes_of(tmp_path)
    assert note.endswith(
        "set KANDJI_MIRROR_FEEDS=sofa where it is off, then `kandji-mirror feed update` reads it (or "
        "`kandji-mirror feed load FILE`)."
    )
    (note,) = notes_of(tmp_path, remedy="`refresh`")
    assert "`kandji-mirror feed update`, which is for who runs this mirror, reads it" in note
    found = json.loads(run(tmp_path, "status", "--json").stdout)
    assert found["tables"]["os_releases"]["state"] == "off"
    assert found["feeds"]["sofa/macOS"]["on"] is False
    assert "\nFeeds     sofa off; kev off\n" in run(tmp_path, "status").stdout
    with Reader(tmp_path) as reader:
        lines = [tuple(row) for row in reader.query("mirror_ages").rows]
    assert not {row[0] for row in lines} & feed_tables().keys()


def test_a_feed_that_is_turned_off_keeps_its_rows_and_that_is_said_once(tmp_path: Path, host: FeedHost) -> None:
    small_fleet(tmp_path)
    on = FeedSources.of(settings_of(host))
    with open_store(tmp_path, "example", resources(), lambda: AT) as store:
        update_feeds(store, on, on.feeds, keep_days=400)
        note_turned_off(store, on)
        before = store.current.generation
        note_turned_off(store, FeedSources())
        note_turned_off(store, FeedSources())
        assert (store.current.generation, store.current.tables["os_releases"].rows) == (before + 1, 22)
        assert on.due(store.current.tables, AT) == [FEEDS["sofa"]]  # on again
    (note,) = notes_of(tmp_path, at=AT + timedelta(days=2))
    assert note == (
        "os_releases: 2 d old, due after 6 h. KANDJI_MIRROR_FEEDS does not name the feed any more, so these rows are "
        "not updated."
    )
    overdue = {named: health(tmp_path, lambda: AT + timedelta(days=2), feeds=named).overdue for named in ("", "sofa")}
    assert set(overdue["sofa"]) - set(overdue[""]) == set(FEEDS["sofa"].tables)


@pytest.mark.many
def test_old_rows_of_a_file_want_a_newer_file(tmp_path: Path) -> None:
    load_files(tmp_path, "acme", [KEV], wall=lambda: AT)
    (note,) = notes_of(tmp_path, "known_exploited_vulnerabilities", at=AT + timedelta(days=9))
    assert note.endswith("due after 12 h; `kandji-mirror feed load FILE` reads what is due.")


def test_every_document_is_listed_with_its_age_and_its_trouble(tmp_path: Path, host: FeedHost) -> None:
    host.answers[IOS_PATH] = Told(500)
    updated(tmp_path, host, at=datetime.now(UTC))
    on = {"KANDJI_MIRROR_FEEDS": "sofa", **host.settings}
    listed = run(tmp_path, "feed", "list", "-f", "jsonl", **on)
    assert [tuple(json.loads(line).values())[:4] for line in listed.stdout.splitlines()] == [
        ("sofa", "macOS", "yes", "ok"),
        ("sofa", "iOS", "yes", "failed"),
        ("kev", "KEV", "no", "never read"),
    ]
    assert "sofa: iOS: GET" in listed.stderr
    checks = json.loads(run(tmp_path, "doctor", "--offline", "--json", **on).stdout)["checks"]
    (found,) = [check for check in checks if check["check"] == "feeds"]
    assert found["health"] == "warning"
    assert found["detail"].endswith(" old, iOS never read, the last attempt failed); kev off")
    assert not [check for check in checks if check["check"] == "table: os_releases"]


@pytest.mark.heavy
def test_a_sync_reads_feeds_that_are_due_and_ends_well_without_them(tmp_path: Path, host: FeedHost) -> None:
    tenant = synced(tmp_path, 20, "devices", "users")
    with serve(tenant) as server:
        settings = {"KANDJI_API_URL": server.url, "KANDJI_API_TOKEN": TOKEN, **host.settings}
        host.answers[IOS_PATH] = Told(500)
        ended = run(tmp_path, "sync", KANDJI_MIRROR_FEEDS="sofa", **settings)
        assert ended.returncode == 0, ended.stderr
        assert "sofa: iOS: GET" in ended.stderr
        assert len(mirrored(tmp_path, "os_releases")) == 12
        host.asked.clear()
        assert run(tmp_path, "sync", KANDJI_MIRROR_FEEDS="sofa", **settings).returncode == 0
        assert host.asked == []
        wrong = run(tmp_path, "sync", KANDJI_MIRROR_FEEDS="sofa,x", **settings)
        assert (wrong.returncode, "there is no feed 'x'" in wrong.stderr) == (0, True)
        assert run(tmp_path, "sync", "os_releases", **settings).returncode == 2
