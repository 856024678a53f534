"""What `serve` tells those who watch it: metrics in Prometheus' text form, and the two probes. Over real HTTP."""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, current_thread
from typing import Any

import anyio
import pytest
from http_serving import INITIALIZE, KNOWN, MCP, TOKEN, Answer, asked
from mcp_calls import LATER, opened, republish
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from reads_home import small_fleet

from kandji_mcp_server.background import Background
from kandji_mcp_server.context import ServerContext
from kandji_mcp_server.http.access import read_access
from kandji_mcp_server.http.monitoring import Renewed
from kandji_mcp_server.http.serving import HttpServer
from kandji_mcp_server.monitoring.definitions import METRICS
from kandji_mcp_server.monitoring.exposition import Exposition
from kandji_mcp_server.monitoring.probes import readiness
from kandji_mcp_server.monitoring.samples import CheckCounts, Watched
from kandji_mcp_server.tally import Face
from kandji_mirror.report import Outcome, Report
from kandji_mirror.scheduler.due import SyncPolicy
from kandji_mirror.scheduler.service import Scheduler
from kandji_mirror.state import record_run
from kandji_queries.engine.limits import QueryLimits
from kandji_schema.errors import ConfigurationError, MirrorError
from kandji_schema.manifest import Manifest, State
from kandji_schema.settings import Settings

METRICS_TOKEN = "another-invented-token-for-metrics-alone"
READER = {"authorization": f"Bearer {METRICS_TOKEN}"}
FRESH = LATER - timedelta(minutes=1)
SLOW = "SELECT count(*) FROM range(1000000) AS a, range(1000000) AS b WHERE a.range + b.range = 7"


def counted_checks() -> CheckCounts:
    return CheckCounts(on=5, without_answer=1, findings=7, waiting=2, failed=1)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    folder = tmp_path_factory.mktemp("home")
    made = small_fleet(folder)
    return folder, republish(folder, made, "devices", synced_at=FRESH)


@pytest.fixture(scope="module")
def mirror(manifest: tuple[Path, Manifest]) -> Iterator[ServerContext]:
    with opened(manifest[0]) as found:
        yield found


@pytest.fixture(scope="module")
def url(mirror: ServerContext) -> Iterator[str]:
    settings = Settings(mirror_http_port=0, mirror_http_token=TOKEN, mirror_metrics_token=METRICS_TOKEN)
    server = HttpServer(mirror, read_access(settings, folder=mirror.home), checks=counted_checks)
    yield server.url
    assert server.stop(30)


def families(text: str) -> dict[str, Metric]:
    """Metrics by name; of counters with ``_total``, as they are asked for."""
    found = text_string_to_metric_families(text)
    return {f"{each.name}_total" if each.type == "counter" else each.name: each for each in found}


def values(text: str) -> dict[tuple[str, ...], float]:
    """Values by name and labels but the tenant."""
    return {
        (sample.name, *(value for name, value in sorted(sample.labels.items()) if name != "tenant")): sample.value
        for metric in families(text).values()
        for sample in metric.samples
    }


def watched(mirror: ServerContext) -> Watched:
    return Watched("acme", (mirror,), counted_checks)


# -- who may ask ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (READER, 200),
        (KNOWN, 200),
        ({}, 401),
        ({"authorization": "Bearer a-wrong-one-of-more-than-24-characters"}, 401),
        ({"authorization": METRICS_TOKEN}, 401),
        ({**READER, "host": "evil.example.com"}, 421),
        ({**READER, "origin": "http://evil.example.com"}, 403),
    ],
)
def test_metrics_are_for_those_who_have_a_token(url: str, headers: Mapping[str, str], status: int) -> None:
    answer = asked(url, "GET", "/metrics", None, **headers)
    assert answer.status == status
    assert ("kandji_mirror" in answer.text) is (status == 200)


def test_the_token_for_metrics_opens_nothing_else(url: str) -> None:
    assert asked(url, "POST", "/mcp", INITIALIZE, **MCP, **READER).status == 401
    assert asked(url, "GET", "/health", None, **READER).json().keys() == {"status"}
    assert asked(url, "GET", "/tables", None, **READER).status in {401, 404}


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz"])
def test_only_reading_is_possible(url: str, path: str) -> None:
    assert asked(url, "POST", path, b"{}", **KNOWN).status == 405
    head = asked(url, "HEAD", path, None, **KNOWN)
    assert (head.status, head.text) == (200, "")


def test_the_probes_need_no_token_and_tell_a_word_but_not_to_any_name(url: str) -> None:
    for path in ("/healthz", "/readyz"):
        assert asked(url, "GET", path).json() == {"status": "ok"}
        assert asked(url, "GET", path, None, host="evil.example.com").status == 421


@pytest.mark.parametrize("wrong", [TOKEN, "short", "with a space in it, which is none"])
def test_a_token_for_metrics_that_is_no_good_is_refused(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(ConfigurationError, match="KANDJI_MIRROR_METRICS_TOKEN") as told:
        read_access(Settings(mirror_http_token=TOKEN, mirror_metrics_token=wrong), folder=tmp_path)
    assert wrong not in str(told.value)


def test_the_token_for_metrics_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "metrics_token"
    file.write_text(f"{METRICS_TOKEN}\n", encoding="utf-8")
    file.chmod(0o600)
    found = read_access(Settings(mirror_http_token=TOKEN), folder=tmp_path)
    assert found.metrics_token == METRICS_TOKEN
    assert METRICS_TOKEN not in repr(found)


# -- what they are told --------------------------------------------------------------------------------------------


def scrape(url: str) -> str:
    answer = asked(url, "GET", "/metrics", None, **READER)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return answer.text


def test_every_metric_is_as_it_is_defined_and_every_definition_is_told(mirror: ServerContext) -> None:
    exposition = Exposition([watched(mirror)], lambda: 3)
    failed = Outcome("apps", State.FAILED, 2, 4, 0.1, False, error="no answer", error_kind="unreachable")
    record_run(mirror.home, Report(FRESH, 1.0, (failed,), (), 4, 8_000, None))
    found = families(exposition.text().decode())
    ours = {metric.name: metric for metric in METRICS.values()}
    assert ours.keys() == {name for name in found if name.startswith("kandji_mirror_")}
    for name, metric in ours.items():
        assert (found[name].type, found[name].documentation) == (metric.kind.value, metric.help), name
        labels = {frozenset(sample.labels) - {"le"} for sample in found[name].samples}
        assert labels == {frozenset(metric.all_labels)}, name
    if sys.platform == "linux":
        assert "process_resident_memory_bytes" in found


def test_values_are_those_of_the_mirror(mirror: ServerContext, manifest: tuple[Path, Manifest]) -> None:
    found = values(Exposition([watched(mirror)], lambda: 3).text().decode())
    expected = {
        ("readable",): 1,
        ("ready",): 1,
        ("table_rows", "devices"): 4,
        ("table_age_seconds", "devices"): 60,
        ("table_ttl_seconds", "devices"): 300,
        ("table_state", "ok", "devices"): 1,
        ("table_state", "failed", "devices"): 0,
        ("table_state", "never synced", "users"): 1,
        ("generation",): manifest[1].generation,
        ("history_retention_seconds",): 400 * 86_400,
        ("budget_requests_per_hour",): 9_000,
        ("sync_alive",): 1,
        ("sync_resting",): 0,
        ("syncing",): 0,
        ("mcp_sessions",): 3,
        ("audit_chain_ok",): 1,
        ("audit_records_total", "refused"): 0,
        ("check_findings",): 7,
        ("checks_on",): 5,
        ("check_deliveries_waiting",): 2,
    }
    assert {name: found.get((f"kandji_mirror_{name[0]}", *name[1:])) for name in expected} == expected
    data = sum(file.stat().st_size for file in (mirror.home / "store" / "data").iterdir())
    assert found["kandji_mirror_disk_used_bytes", "data"] == data
    assert found["kandji_mirror_disk_free_bytes",] > 0


def test_runs_of_any_process_are_counted_once(tmp_path: Path) -> None:
    small_fleet(tmp_path)
    ok = Outcome("devices", State.OK, 4, 2, 0.1, True)
    failed = Outcome("apps", State.FAILED, 2, 4, 0.1, False, error="no answer", error_kind="unreachable")
    refused = Outcome("users", State.FORBIDDEN, 0, 1, 0.1, False, error="403", error_kind="permission_missing")
    began = datetime(2026, 11, 20, 12, tzinfo=UTC)

    def ran(minute: int, *outcomes: Outcome) -> None:
        record_run(tmp_path, Report(began + timedelta(minutes=minute), 1.0, outcomes, (), 0, None, None))

    with opened(tmp_path) as mirror:
        ran(0, ok, failed)  # before this process began
        exposition = Exposition([watched(mirror)], lambda: 0)
        ran(1, ok, refused)
        exposition.text()
        ran(2, ok, failed)
        ran(3, failed)
        found = values(exposition.text().decode())
    told = {name[1:]: found[name] for name in found if name[0] == "kandji_mirror_runs_total"}
    assert told == {("ok",): 1, ("partial",): 1, ("failed",): 1}
    errors = {name[1:]: found[name] for name in found if name[0] == "kandji_mirror_errors_total"}
    assert errors == {("permission_missing",): 1, ("unreachable",): 2}
    assert found["kandji_mirror_requests_total", "failed", "apps"] == 8
    assert found["kandji_mirror_passes_total", "ok", "devices"] == 2
    assert found["kandji_mirror_last_success_timestamp_seconds",] == (began + timedelta(minutes=1)).timestamp()


@pytest.mark.slow
def test_questions_are_counted_by_face_and_end_and_nothing_of_them_is_kept(mirror: ServerContext) -> None:
    before = mirror.tally.ended()

    async def run(sql: str, face: Face) -> None:
        limits = QueryLimits(seconds=0.5) if sql == SLOW else None
        with suppress(MirrorError):
            await mirror.run_sql(sql, face=face, limits=limits)

    async def hang() -> None:
        with suppress(TimeoutError):
            await mirror.ask(lambda _: time.sleep(0.3), face=Face.PAGES, seconds=0.05)

    for sql, face in (
        ("SELECT device_name FROM devices WHERE serial_number = 'S1'", Face.MCP),
        ("SELECT * FROM read_csv('/etc/passwd')", Face.MCP),
        ("SELECT no_such_column FROM devices", Face.PAGES),
        (SLOW, Face.MCP),
    ):
        anyio.run(run, sql, face)
    anyio.run(hang)
    ended = {
        tuple(map(str, key)): count - before.get(key, 0)
        for key, count in mirror.tally.ended().items()
        if count != before.get(key, 0)
    }
    assert ended == {
        ("mcp", "statement", "ok"): 1,
        ("mcp", "statement", "refused"): 1,
        ("pages", "statement", "failed"): 1,
        ("mcp", "statement", "timeout"): 1,
        ("pages", "question", "timeout"): 1,
    }
    text = Exposition([watched(mirror)], lambda: 0).text().decode()
    found = values(text)
    times = [name for name in found if name[0] == "kandji_mirror_query_duration_seconds_bucket" and name[1] == "mcp"]
    assert [name[2] for name in times][-1] == "+Inf"
    assert [found[name] for name in times] == sorted(found[name] for name in times)
    assert found["kandji_mirror_query_duration_seconds_sum", "mcp"] > 0.5
    for word in ("S1", "serial", "no_such_column", "passwd"):
        assert word not in text


def test_no_label_names_a_device_a_person_or_a_secret(url: str, mirror: ServerContext) -> None:
    text = scrape(url)
    for word in ("Mac 1", "user1", "example.org", "Engineering", "zoom", TOKEN, METRICS_TOKEN, str(mirror.home)):
        assert word not in text
    labels = {label for metric in METRICS.values() for label in metric.all_labels}
    assert labels == {
        *("tenant", "table", "state", "outcome", "kind", "face", "part", "event"),
        *("version", "duckdb", "python"),
    }
    assert len(text.splitlines()) < 1_000


def test_a_scrape_costs_little(mirror: ServerContext) -> None:
    exposition = Exposition([watched(mirror)], lambda: 0)
    exposition.text()
    costs = []
    for _ in range(5):
        began = time.thread_time()
        exposition.text()
        costs.append(time.thread_time() - began)
    assert min(costs) < 0.03


def test_a_part_that_cannot_be_read_is_named_and_takes_no_other_along(mirror: ServerContext) -> None:
    def broken() -> CheckCounts:
        raise ZeroDivisionError

    found = values(Exposition([replace_checks(watched(mirror), broken)], lambda: 0).text().decode())
    assert found["kandji_mirror_scrape_part_ok", "checks"] == 0
    assert found["kandji_mirror_scrape_part_ok", "mirror"] == 1
    assert ("kandji_mirror_checks_on",) not in found
    assert found["kandji_mirror_readable",] == 1


def replace_checks(one: Watched, checks: Any) -> Watched:
    one.checks = checks
    return one


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool, of Prometheus, is not installed")
def test_promtool_finds_nothing_wrong(url: str) -> None:
    ended = subprocess.run(["promtool", "check", "metrics"], input=scrape(url), capture_output=True, text=True)  # noqa: S607
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


# -- trouble -------------------------------------------------------------------------------------------------------


def other_word(url: str, path: str, word: str) -> Answer:
    """The answer, once it is that word: an answer is given again for two seconds."""
    ends = time.monotonic() + 20
    while (found := asked(url, "GET", path)).json()["status"] != word and time.monotonic() < ends:
        time.sleep(0.1)
    return found


@pytest.mark.slow
def test_a_mirror_that_is_old_damaged_or_gone_is_not_ready_while_the_process_lives(tmp_path: Path) -> None:
    home = tmp_path / "home"
    made = small_fleet(home)
    settings = Settings(mirror_http_port=0, mirror_http_token=TOKEN)
    with opened(home) as mirror:
        server = HttpServer(mirror, read_access(settings, folder=tmp_path))

        def told(word: str, readable: int) -> None:
            found = other_word(server.url, "/readyz", word)
            assert (found.status, found.json()) == (200 if word == "ok" else 503, {"status": word})
            assert asked(server.url, "GET", "/healthz").json() == {"status": "ok"}
            wanted, ends = f'kandji_mirror_readable{{tenant="example"}} {readable}.0', time.monotonic() + 20
            while wanted not in asked(server.url, "GET", "/metrics", None, **KNOWN).text:
                assert time.monotonic() < ends
                time.sleep(0.1)

        try:
            made = republish(home, made, "devices", synced_at=FRESH)
            told("ok", 1)
            made = republish(home, made, "devices", synced_at=LATER - timedelta(hours=25))
            told("too old", 1)
            made = republish(home, made, "devices", synced_at=None, state=State.NEVER)
            told("nothing mirrored yet", 1)
            home.rename(tmp_path / "elsewhere")
            told("the data directory is gone", 0)
        finally:
            assert server.stop(30)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_threads_that_sync_no_more_make_the_process_dead(manifest: tuple[Path, Manifest]) -> None:
    ended = Event()

    def end() -> float:
        ended.set()
        sys.exit()  # a thread ends by it without a word

    policy: Any = SyncPolicy(3_000)
    scheduler = Scheduler(manifest[0], "example", _never, policy, keep_days=0, jitter=end)
    settings = Settings(mirror_http_port=0, mirror_http_token=TOKEN)
    context = ServerContext(Settings(mirror_home=str(manifest[0])), Background(settings, scheduler=scheduler))
    server = HttpServer(context, read_access(settings, folder=manifest[0]))
    try:
        assert asked(server.url, "GET", "/healthz").status == 200  # it did not begin yet
        scheduler.start()
        assert ended.wait(20)
        found = other_word(server.url, "/healthz", "syncing hangs")
        assert (found.status, found.json()) == (503, {"status": "syncing hangs"})
        context.read_state()  # what is opened ahead is open, and closed below
    finally:
        assert server.stop(30)
        context.close()


def _never(*, background: bool) -> Any:
    raise AssertionError(background)


def test_the_trouble_of_a_tenant_takes_no_other_s_answers_away(mirror: ServerContext, tmp_path: Path) -> None:
    with opened(tmp_path / "gone") as other:
        well, gone = watched(mirror), Watched("other", (other,))
        assert [readiness(of) for of in ([well], [gone], [gone, well])] == ["ok", "the data directory is gone", "ok"]
        found = families(Exposition([well, gone], lambda: 0).text().decode())["kandji_mirror_readable"]
        assert {sample.labels["tenant"]: sample.value for sample in found.samples} == {"acme": 1, "other": 0}


def test_where_a_disk_does_not_answer_one_thread_waits_however_often_somebody_asks() -> None:
    answers, waiting = Event(), []

    def stuck() -> int:
        waiting.append(current_thread())
        answers.wait(30)
        return 7

    value = Renewed(stuck)

    async def ask_often() -> int:
        for _ in range(20):
            with pytest.raises(TimeoutError):
                await value.get(0.01)
        assert len(waiting) == 1
        answers.set()
        return await value.get(20)

    assert anyio.run(ask_often) == 7


def test_names_follow_the_conventions_of_prometheus() -> None:
    for metric in METRICS.values():
        assert re.fullmatch(r"kandji_mirror_[a-z0-9_]*[a-z0-9]", metric.name)
        assert metric.name.endswith("_total") is (metric.kind == "counter")
        assert metric.help.rstrip(".") != metric.help
        assert not re.search(r"_(ms|minutes|days|kb|mb|percent)$", metric.name)
