"""The request budget of all processes of a home."""

import os
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest

from kandji_mirror.api.rate_limit import FILE, Permits, RateLimiter, SharedPermits, shared_limiter
from kandji_schema.errors import RateLimited, StoreError

ACME = "https://acme.api.kandji.io"


class Clock:
    """A time of day that moves only by sleeping."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limiter(tmp_path: Path, clock: Clock) -> Iterator[RateLimiter]:
    with RateLimiter(tmp_path, ACME, per_second=3, per_hour=8, wall=clock) as limiter:
        yield limiter


def take(limiter: RateLimiter, count: int, clock: Clock) -> None:
    for _ in range(count):
        limiter.acquire(120.0, clock.sleep)


def test_permits_within_a_second_do_not_wait(limiter: RateLimiter, clock: Clock) -> None:
    take(limiter, 3, clock)
    assert clock.slept == []


def test_a_full_second_is_waited_for(limiter: RateLimiter, clock: Clock) -> None:
    take(limiter, 7, clock)
    assert clock.slept == [1.001, 1.001]


def test_a_used_up_hour_is_an_error_at_once_that_says_when_it_ends(limiter: RateLimiter, clock: Clock) -> None:
    take(limiter, 8, clock)
    before = clock.now
    with pytest.raises(RateLimited, match=r"3 a second and 8 an hour .* free in 60 min") as used_up:
        limiter.acquire(120.0, clock.sleep)
    assert clock.now == before
    assert used_up.value.retry_after == pytest.approx(3600 - 2.002 + 0.001, abs=0.002)


def test_an_hour_later_there_are_permits_again(limiter: RateLimiter, clock: Clock) -> None:
    take(limiter, 8, clock)
    clock.now += 3601
    take(limiter, 3, clock)


def test_a_restart_does_not_forget_what_was_sent(tmp_path: Path, clock: Clock, limiter: RateLimiter) -> None:
    take(limiter, 8, clock)
    limiter.close()
    with (
        RateLimiter(tmp_path, ACME, per_second=3, per_hour=8, wall=clock) as again,
        pytest.raises(RateLimited),
    ):
        again.acquire(0.0)


def test_each_tenant_has_its_own_budget(tmp_path: Path, clock: Clock, limiter: RateLimiter) -> None:
    take(limiter, 8, clock)
    with RateLimiter(tmp_path, "https://other.api.kandji.io", per_second=3, per_hour=8, wall=clock) as other:
        other.acquire(0.0)


@pytest.mark.parametrize(("per_second", "per_hour", "at_once"), [(50, 1, 1), (5, 5, 5), (1, 10_000, 1), (2, 7_200, 2)])
def test_every_pair_of_rates_the_settings_allow_works(
    tmp_path: Path, clock: Clock, per_second: int, per_hour: int, at_once: int
) -> None:
    with RateLimiter(tmp_path, ACME, per_second=per_second, per_hour=per_hour, wall=clock) as limiter:
        for _ in range(at_once):
            limiter.acquire(0.0)
        with pytest.raises(RateLimited):
            limiter.acquire(0.0)


def test_a_clock_that_was_ahead_does_not_block_the_next_start(
    tmp_path: Path, clock: Clock, limiter: RateLimiter
) -> None:
    clock.now += 86_400
    take(limiter, 3, clock)
    limiter.close()
    clock.now -= 86_400
    with RateLimiter(tmp_path, ACME, per_second=3, per_hour=8, wall=clock) as again:
        again.acquire(0.0)


def test_permits_older_than_an_hour_leave_the_file(tmp_path: Path, clock: Clock) -> None:
    with RateLimiter(tmp_path, ACME, per_second=50, per_hour=10_000, wall=clock) as limiter:
        take(limiter, 400, clock)
        clock.now += 4_000
        take(limiter, 100, clock)
    with sqlite3.connect(tmp_path / FILE) as database:
        (table,) = database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchone()
        assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (100,)
    database.close()


def test_a_damaged_file_is_replaced_at_the_start(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / FILE).write_bytes(b"this is not a database" * 100)
    with RateLimiter(tmp_path, ACME, per_second=3, per_hour=8, wall=clock) as limiter:
        limiter.acquire(0.0)


def test_a_file_damaged_under_way_is_replaced(tmp_path: Path, clock: Clock, limiter: RateLimiter) -> None:
    take(limiter, 8, clock)
    with sqlite3.connect(tmp_path / FILE) as other:  # makes the limiter's own connection look at the file again
        other.execute("CREATE TABLE other (number INTEGER)")
    other.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
    (tmp_path / FILE).write_bytes(b"this is not a database" * 1_000)
    other.close()
    take(limiter, 3, clock)


def test_a_file_that_is_removed_under_way_is_made_anew_for_all(
    tmp_path: Path, clock: Clock, limiter: RateLimiter
) -> None:
    with RateLimiter(tmp_path, ACME, per_second=3, per_hour=8, wall=clock) as other:
        take(limiter, 2, clock)
        take(other, 2, clock)
        for path in tmp_path.glob(f"{FILE}*"):
            path.unlink()
        assert [all_given(limiter), all_given(other)] == [3, 0]


def test_permits_of_an_earlier_version_count(tmp_path: Path, clock: Clock, limiter: RateLimiter) -> None:
    with closing(sqlite3.connect(tmp_path / FILE)) as database, database:
        (table,) = database.execute("SELECT name FROM sqlite_schema WHERE name GLOB 'permits_*'").fetchone()
        at = [("request", 1000 * int(clock.now) - 2_000)] * 7
        database.executemany(f"INSERT INTO '{table}' (name, item_timestamp) VALUES (?, ?)", at)
    assert all_given(limiter) == 1


def test_who_waits_is_served_before_who_comes_later(tmp_path: Path, clock: Clock, limiter: RateLimiter) -> None:
    def meanwhile(seconds: float) -> None:
        for _ in range(2):
            limiter.background().acquire(120.0, waited.append)
        clock.now += seconds

    waited: list[float] = []
    take(limiter, 3, clock)
    limiter.acquire(120.0, meanwhile)
    assert waited == [1.001, 1.001]
    assert all_given(limiter) == 0


@pytest.mark.heavy
def test_a_process_that_holds_the_file_for_long_is_told_of(tmp_path: Path, limiter: RateLimiter) -> None:
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as stopped:
        stopped.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match=r"Another process has held .*budget\.sqlite for more than 10 s"):
            limiter.acquire(0.0)


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    with pytest.raises(StoreError, match=r"home/budget\.sqlite cannot be used"):
        RateLimiter(tmp_path / "home", ACME, per_second=3, per_hour=8)


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(StoreError, match=r"budget\.sqlite cannot be used: unable to open"):
        RateLimiter(tmp_path, ACME, per_second=3, per_hour=8)


def test_threads_share_the_budget(tmp_path: Path, clock: Clock) -> None:
    given: list[int] = []

    def take_all(limiter: RateLimiter) -> None:
        count = 0
        try:
            while True:
                limiter.acquire(0.0)
                count += 1
        except RateLimited:
            given.append(count)

    with RateLimiter(tmp_path, ACME, per_second=40, per_hour=8_000, wall=clock) as limiter:
        threads = [Thread(target=take_all, args=(limiter,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sum(given) == 40


# -- the share of background work ----------------------------------------------------------------------------------


def all_given(permits: Permits) -> int:
    """How many permits are to be had without waiting."""
    count = 0
    try:
        while True:
            permits.acquire(0.0)
            count += 1
    except RateLimited:
        return count


def test_background_work_stops_at_its_share_and_people_go_on(tmp_path: Path, clock: Clock) -> None:
    with RateLimiter(tmp_path, ACME, per_second=50, per_hour=40, background_per_hour=12, wall=clock) as limiter:
        assert all_given(limiter.background()) == 12
        with pytest.raises(RateLimited, match=r"used up: 12 an hour for work in the background\..* free in 60 min"):
            limiter.background().acquire(120.0)
        assert all_given(limiter) == 28


def test_background_work_leaves_the_last_of_the_hour_to_people(tmp_path: Path, clock: Clock) -> None:
    with RateLimiter(tmp_path, ACME, per_second=9_000, per_hour=3_600, wall=clock) as limiter:
        for _ in range(2_390):
            limiter.acquire(0.0)
        assert all_given(limiter.background()) == 10
        with pytest.raises(RateLimited, match=r"2,400 an hour for work in the background, which leaves the rest"):
            limiter.background().acquire(0.0)
        assert all_given(limiter) == 1_200


def test_a_small_hour_keeps_two_thirds_for_background_work(tmp_path: Path, clock: Clock) -> None:
    with RateLimiter(tmp_path, ACME, per_second=50, per_hour=9, wall=clock) as limiter:
        assert all_given(limiter.background()) == 6


def test_a_refused_background_request_costs_nothing(tmp_path: Path, clock: Clock) -> None:
    with RateLimiter(tmp_path, ACME, per_second=3, per_hour=30, background_per_hour=5, wall=clock) as limiter:
        take(limiter, 3, clock)
        for _ in range(10):
            with pytest.raises(RateLimited):
                limiter.background().acquire(0.0)
        clock.now += 2
        assert all_given(limiter.background()) == 3


def test_the_background_share_comes_back_as_the_hour_rolls(tmp_path: Path, clock: Clock) -> None:
    with RateLimiter(tmp_path, ACME, per_second=50, per_hour=90, background_per_hour=4, wall=clock) as limiter:
        for _ in range(4):
            limiter.background().acquire(0.0)
            clock.now += 600
        with pytest.raises(RateLimited) as refused:
            limiter.background().acquire(0.0)
        assert refused.value.retry_after == pytest.approx(1_200.001)
        clock.now += 1_201
        assert all_given(limiter.background()) == 1


def test_a_restart_does_not_forget_the_background_share(tmp_path: Path, clock: Clock) -> None:
    for given in (4, 0):
        with RateLimiter(tmp_path, ACME, per_second=50, per_hour=90, background_per_hour=4, wall=clock) as limiter:
            assert all_given(limiter.background()) == given


# -- several processes ---------------------------------------------------------------------------------------------


PROCESS = """
import sys, time
from pathlib import Path
from kandji_mirror.api.rate_limit import RateLimiter
with RateLimiter(Path(sys.argv[1]), "tenant", per_second=20, per_hour=60) as limiter:
    for _ in range(15):
        limiter.acquire(30.0)
        print(time.time(), flush=True)
"""


def test_four_processes_together_keep_the_second_and_the_hour(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROCESS, str(tmp_path)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    times = sorted(float(line) for process in processes for line in process.communicate(timeout=60)[0].split())
    assert [process.returncode for process in processes] == [0, 0, 0, 0]
    assert len(times) == 60
    # A permit is printed a little after it was given, hence 0.9 s for the window of a second.
    assert all(later - earlier > 0.9 for earlier, later in zip(times, times[20:], strict=False))
    with RateLimiter(tmp_path, "tenant", per_second=20, per_hour=60) as fifth, pytest.raises(RateLimited):
        fifth.acquire(5.0)


GREEDY = """
import sys, time
from pathlib import Path
from kandji_mirror.api.rate_limit import RateLimiter
from kandji_schema.errors import RateLimited
with RateLimiter(Path(sys.argv[1]), "tenant", per_second=45, per_hour=9_000, background_per_hour=100) as limiter:
    background = limiter.background()
    for _ in range(10):
        limiter.acquire(30.0)
        print("asked", time.time(), flush=True)
    while True:
        try:
            background.acquire(30.0)
        except RateLimited:
            break
        print("background", time.time(), flush=True)
"""


def test_four_processes_together_keep_the_share_of_background_work(tmp_path: Path) -> None:
    command = [sys.executable, "-c", GREEDY, str(tmp_path)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    lines = [line.split() for process in processes for line in process.communicate(timeout=60)[0].splitlines()]
    assert [process.returncode for process in processes] == [0, 0, 0, 0]
    assert Counter(kind for kind, _ in lines) == {"asked": 40, "background": 100}
    times = sorted(float(time) for _, time in lines)
    assert all(later - earlier > 0.9 for earlier, later in zip(times, times[45:], strict=False))


# -- several homes -------------------------------------------------------------------------------------------------

HOMES = """
import sys
from pathlib import Path
from kandji_mirror.api.rate_limit import RateLimiter
from kandji_mirror.api.rate_limit import SharedPermits, shared_limiter
rates = {"per_second": 20, "per_hour": 60, "background_per_hour": 60}
with (
    RateLimiter(Path(sys.argv[1]), "tenant", **rates) as limiter,
    shared_limiter(Path(sys.argv[2]), "tenant", **rates) as shared,
):
    permits = SharedPermits(limiter, shared)
    for _ in range(15):
        permits.acquire(30.0)
"""


def test_homes_of_one_tenant_keep_the_second_and_the_hour_together(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    command = [sys.executable, "-c", HOMES]
    processes = [subprocess.Popen([*command, str(tmp_path / home), str(shared)]) for home in "abcd"]
    assert [process.wait(60) for process in processes] == [0, 0, 0, 0]
    (place,) = shared.iterdir()
    with closing(sqlite3.connect(place / FILE)) as budget:
        (table,) = budget.execute("SELECT name FROM sqlite_master WHERE name GLOB 'permits_*'").fetchone()
        times = sorted(at for (at,) in budget.execute(f'SELECT item_timestamp FROM "{table}"').fetchall())
    assert len(times) == 60
    assert all(later - earlier >= 1_000 for earlier, later in zip(times, times[20:], strict=False))


def test_without_a_place_to_share_each_home_counts_for_itself(tmp_path: Path, limiter: RateLimiter) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("")
    with shared_limiter(occupied, ACME, per_second=3, per_hour=8, background_per_hour=8) as shared:
        assert shared is None


def test_a_shared_budget_that_breaks_is_given_up(tmp_path: Path, limiter: RateLimiter, clock: Clock) -> None:
    class Broken:
        asked = 0

        def acquire(self, timeout: float, sleep: object = None) -> None:
            self.asked += 1
            raise StoreError("gone")

    broken = Broken()
    permits = SharedPermits(limiter, broken)
    for _ in range(3):
        permits.acquire(5.0, clock.sleep)
    assert broken.asked == 1


def test_folders_of_tenants_that_nobody_asks_any_more_are_removed(tmp_path: Path) -> None:
    def opened(tenant: str) -> Path:
        with shared_limiter(tmp_path, tenant, per_second=3, per_hour=8, background_per_hour=8) as shared:
            assert shared is not None
        return max(tmp_path.iterdir(), key=lambda path: path.stat().st_mtime_ns)

    old = opened("https://old.api.kandji.io")
    os.utime(old / FILE, (1, 1))
    new = opened(ACME)
    assert list(tmp_path.iterdir()) == [new]
