"""Statements in processes of their own: what comes back, what they may take, and what they cannot do to each other."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from threading import Event

import pytest
from reads_home import SYNCED, device, publish, small_fleet

from kandji_queries.engine.limits import QueryLimits
from kandji_queries.reader import Reader
from kandji_queries.results.result import Answer
from kandji_queries.workers.pool import WorkerPool
from kandji_schema.errors import (
    Busy,
    ConfigurationError,
    Failed,
    Interrupted,
    NothingMirrored,
    Refused,
    StatementError,
    TookTooLong,
    UsageError,
)

TOKEN = "invented-token-of-the-parent"
SOON = QueryLimits(seconds=2, rows=500, bytes=60_000, cell_bytes=4_000, memory_mb=256)

FOREVER = "SELECT count(*) FROM range(1000000) AS a, range(1000000) AS b WHERE a.range + b.range = 7"
"""Looks at interrupts."""

DEAF = "SELECT levenshtein(repeat('a', 200000), repeat('b', 200000))"
"""One call of one function: minutes, in which nothing looks at interrupts."""

GREEDY = "SELECT len(range((1e5 * 1e4)::BIGINT))"
"""8 GB in one value."""

KINDS = (
    "SELECT 1 AS n, 'é\n' AS t, NULL AS nothing, true AS b, 0.1::DECIMAL(9, 2) AS d, 1e308 * 10 AS infinite",
    "SELECT (2::HUGEINT ** 100)::HUGEINT + 1 AS big, 170141183460469231731687303715884105727 AS biggest",
    "SELECT last_check_in, tags, extra, first_enrollment::DATE AS day FROM devices ORDER BY device_id",
    "SELECT '\"5\"'::JSON AS text, '{\"a\": [1]}'::JSON AS document, 'x'::BLOB AS bytes, uuid()::VARCHAR <> '' AS u",
    "SELECT {'a': [1, 2], 'b': map {'k': INTERVAL 1 DAY}} AS nested, now()::TIMESTAMP > '2020-01-01' AS t",
    "SELECT repeat('x', 9000) AS long FROM range(600)",
    "SELECT count(*) FROM users",
    "SHOW TABLES",
    "EXPLAIN FROM devices",
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    small_fleet(home)
    return home


@pytest.fixture(scope="module")
def workers(home: Path) -> Iterator[WorkerPool]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KANDJI_API_TOKEN", TOKEN)
        with WorkerPool(home, SOON, waiting=1, clock=lambda: SYNCED) as workers:
            workers.run("SELECT 1")
            yield workers


def test_an_answer_is_what_the_reader_gives(home: Path, workers: WorkerPool) -> None:
    with Reader(home, SOON, clock=lambda: SYNCED) as reader:
        for sql in KINDS:
            found, expected = workers.run(sql), reader.run_json(sql)
            assert _timeless(found) == _timeless(expected), sql
            assert [*found.json_rows()] == [*expected.json_rows()], sql
            assert found.columns == expected.columns


def test_parameters_are_bound(workers: WorkerPool) -> None:
    hostile = "x'); DROP VIEW devices; --"

    found = workers.run("SELECT $a AS a, $b AS b, $c AS c", {"a": hostile, "b": [1, None], "c": SYNCED})

    assert found.rows == [(hostile, [1, None], "2026-11-20T12:00:00Z")]


def test_a_parameter_that_is_no_value_is_named(workers: WorkerPool) -> None:
    with pytest.raises(UsageError, match="The parameter x "):
        workers.run("SELECT $x", {"x": {1, 2}})


@pytest.mark.slow(quick_every=6)
@pytest.mark.parametrize(
    ("sql", "kind", "words"),
    [
        ("DROP VIEW devices", Refused, "read-only"),
        ("FROM device", Refused, "Did you mean devices"),
        ("SELECT os FROM devices", Failed, "os_version"),
        ("SELECT", Failed, "cannot be parsed"),
        (GREEDY, TookTooLong, "more memory"),
        (FOREVER, TookTooLong, "after its 2 seconds"),
        (DEAF, TookTooLong, "after its 2 seconds"),
    ],
)
def test_trouble_has_our_names_and_the_next_statement_none(
    workers: WorkerPool, sql: str, kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        workers.run(sql)
    assert workers.run("SELECT count(*) FROM devices").rows == [(4,)]


def test_the_rule_of_a_refusal_is_kept(workers: WorkerPool) -> None:
    with pytest.raises(Refused) as refused:
        workers.run("FROM read_text('/etc/passwd')")
    assert refused.value.rule == "table function"


@pytest.mark.heavy
def test_two_runaways_do_not_slow_a_third_much_and_a_fourth_is_told(workers: WorkerPool) -> None:
    def ended(sql: str) -> tuple[str, float]:
        began = time.monotonic()
        try:
            return str(workers.run(sql).rows), time.monotonic() - began
        except StatementError as error:
            return type(error).__name__, time.monotonic() - began

    with ThreadPoolExecutor(8) as callers:
        found = list(callers.map(ended, [DEAF, DEAF, "SELECT 1", *["SELECT 2"] * 5]))
    kinds = [kind for kind, _ in found]

    assert kinds.count("TookTooLong") == 2
    answered = sum(kind in {"[(1,)]", "[(2,)]"} for kind in kinds)
    assert answered >= 1  # one that waited at least; more, if others were done before the rest came
    assert kinds.count(Busy.__name__) == 6 - answered
    slowest = min(seconds for kind, seconds in found if kind == "TookTooLong")
    assert all(seconds < slowest for kind, seconds in found if kind == Busy.__name__)
    assert workers.run("SELECT 3").rows == [(3,)]


@pytest.mark.many
def test_one_client_with_forty_slow_statements_does_not_shut_others_out(home: Path) -> None:
    """Whether it sends them as one, or under a name each, as one does that opens a connection for every statement."""
    for names in (["greedy"] * 40, [f"greedy {number}" for number in range(40)]):
        stop = Event()
        with (
            WorkerPool(home, QueryLimits(seconds=600), clock=lambda: SYNCED) as workers,
            ThreadPoolExecutor(40) as greedy,
        ):
            slow = [
                greedy.submit(workers.run, FOREVER, limits=QueryLimits(seconds=600), stop=stop, client=name)
                for name in names
            ]
            wait(slow, return_when=FIRST_COMPLETED)  # the queue is full: one of them was refused
            for number in range(3):
                assert workers.run("SELECT 42", client=f"modest {number}").rows == [(42,)]
            assert [answer for answer in slow if not answer.done()]  # they went on all the while
            stop.set()
        assert {type(answer.exception()) for answer in slow} == {Busy, Interrupted}


@pytest.mark.slow
@pytest.mark.parametrize("sql", [FOREVER, DEAF])
def test_a_statement_that_nobody_waits_for_is_stopped(workers: WorkerPool, sql: str) -> None:
    stop = Event()
    with ThreadPoolExecutor(1) as callers:
        running = callers.submit(workers.run, sql, limits=QueryLimits(seconds=600), stop=stop)
        with pytest.raises(TimeoutError):
            running.result(timeout=0.3)
        stop.set()
        with pytest.raises(Interrupted):
            running.result(timeout=30)
    assert workers.run("SELECT 2").rows == [(2,)]


def test_a_statement_that_nobody_waits_for_does_not_begin(workers: WorkerPool) -> None:
    stop = Event()
    stop.set()
    with pytest.raises(Interrupted):
        workers.run(FOREVER, limits=QueryLimits(seconds=600), stop=stop)


@pytest.mark.heavy
def test_a_new_state_is_seen_and_an_old_one_let_go(tmp_path: Path) -> None:
    with WorkerPool(tmp_path, at_once=1) as workers:
        with pytest.raises(NothingMirrored):
            workers.run("FROM devices")
        manifest = small_fleet(tmp_path)
        assert workers.run("SELECT count(*) FROM devices").rows == [(4,)]
        for generation in range(2, 4):
            publish(tmp_path, {"devices": [device(9)]}, generation=generation, keep=manifest)
            for _ in range(3):  # of two children one answers, and then perhaps the other ends
                assert workers.run("SELECT count(*) FROM devices").rows == [(1,)]
        for _ in range(300):  # a spare may be about to follow
            if {_files(child) for child in _children(os.getpid())} <= {0, 4}:  # more were files of states before
                return
            Event().wait(0.1)
        raise AssertionError("a child keeps files of a state that is no more")


@pytest.mark.heavy
def test_a_child_is_replaced_after_so_many_statements(home: Path) -> None:
    with WorkerPool(home, SOON, at_once=1, statements=1) as workers:
        seen = set()
        for _ in range(2):
            workers.run("SELECT 1")
            seen |= set(_children(os.getpid()))
        assert len(seen) >= 2


@pytest.mark.heavy
def test_wrong_rules_of_compliance_are_told(home: Path, tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text("nonsense")
    with WorkerPool(home, SOON, rules=str(tmp_path / "rules.toml")) as workers, pytest.raises(ConfigurationError):
        workers.run("FROM compliance")


def test_a_child_has_no_environment_no_folder_and_hard_limits(workers: WorkerPool, home: Path) -> None:
    workers.run("SELECT 1")
    # a spare that is starting has no limits yet, and no statement of anyone's; one that answered has them all
    (place, limits), *_ = [
        (place, found)
        for child in _children(os.getpid())
        if (found := _limits_of(place := Path("/proc") / str(child))) and found["Max cpu time"][0].isdigit()
    ]

    names = {entry.partition(b"=")[0] for entry in (place / "environ").read_bytes().split(b"\0") if entry}
    assert names <= {b"PYTHONHOME", b"PYTHONPATH", b"LD_LIBRARY_PATH"}
    assert TOKEN.encode() not in (place / "environ").read_bytes() + (place / "cmdline").read_bytes()
    assert str(place.joinpath("cwd").readlink()).endswith(" (deleted)")
    assert (limits["Max file size"], limits["Max core file size"]) == (["0", "0"], ["0", "0"])
    assert limits["Max open files"] == ["512", "512"]
    assert int(limits["Max address space"][1]) < 8 * 1024**3
    others = {str(link.readlink()) for link in (place / "fd").iterdir() if link.name not in {"0", "1", "2"}}
    assert not [path for path in others if path.startswith("/") and not path.startswith((str(home), "/proc", "/dev"))]


PARENT = """
import sys, os
from pathlib import Path
from kandji_queries.workers.pool import WorkerPool
from kandji_queries.engine.limits import QueryLimits
workers = WorkerPool(Path(sys.argv[1]), QueryLimits(seconds=60))
workers.run("SELECT 1")
print("ready", flush=True)
workers.run(sys.argv[2])
"""


def test_children_end_with_their_parent_also_in_the_middle_of_a_statement(home: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, home, DEAF], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        watched = [os.pidfd_open(child) for child in _children(parent.pid)]
        parent.send_signal(signal.SIGKILL)
    assert watched
    for child in watched:
        assert select.select([child], [], [], 10)[0], "a child outlived its parent"
        os.close(child)


GROWING = """
from kandji_queries.engine.process_limits import watch_memory
watch_memory(200 * 1024**2)
kept = []
while len(kept) < 1000:
    kept.append(bytearray(b"x") * 1024**2)
"""


@pytest.mark.heavy
def test_where_the_system_does_not_bound_memory_a_watch_ends_the_process() -> None:
    ended = subprocess.run([sys.executable, "-c", GROWING], check=False, timeout=60)
    assert ended.returncode == 1


def _timeless(answer: Answer) -> str:
    return json.dumps({**answer.to_json(), "elapsed_ms": None})


def _limits_of(process: Path) -> dict[str, list[str]]:
    """Soft and hard limit of each kind; nothing of a process that has ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        lines = (process / "limits").read_text().splitlines()
        return {line[:25].strip(): line[26:].split()[:2] for line in lines}
    return {}


def _children(parent: int) -> list[int]:
    """Processes that run SQL for a parent, the oldest first."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            stat, command = (place / "stat").read_text(), (place / "cmdline").read_bytes()
        except OSError:
            continue  # it ended meanwhile
        if int(stat.rpartition(")")[2].split()[1]) == parent and b"kandji_queries.workers.child" in command:
            found.append(int(place.name))
    return sorted(found)


def _files(child: int) -> int:
    """Number of data files that it has open; one that is starting or ending has none."""
    with suppress(OSError):
        return sum(link.readlink().suffix == ".duckdb" for link in (Path("/proc") / str(child) / "fd").iterdir())
    return 0
