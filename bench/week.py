"""A week of `serve` in minutes: nothing may grow but history. Time is given; nights are slept, zones change.

python bench/week.py                          a week of 60 devices, some minutes
python bench/week.py --days 30 --step 600     a month, looked at every ten minutes

One process does what `serve` does, with a real store, a real budget, a real HTTP server with pages and workers for
statements, checks, and a log. Each minute of that time what is due is read of a simulated tenant with everyday life;
each quarter of an hour people ask. The machine sleeps at night; the week has a change of daylight saving time, a
change of the time zone, and a clock that is an hour wrong for a while. A line a day tells what there is; the exit code
is 1 where memory, files, threads or the store grew after the second day beyond what is allowed.
"""

import argparse
import gc
import http.client
import json
import logging
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from kandji_mcp_server import Background, ServerContext
from kandji_mcp_server.http import HttpServer, read_access
from kandji_mcp_server.logs import JsonLines, RepeatFilter
from kandji_mirror.api.client import Client
from kandji_mirror.api.rate_limit import RateLimiter
from kandji_mirror.connection import Connection
from kandji_mirror.scheduler.backoff import Backoff
from kandji_mirror.scheduler.due import PRIORITIES, SyncPolicy
from kandji_mirror.scheduler.queue import RefreshQueue, RefreshRequest
from kandji_mirror.scheduler.runner import Quota, Runner
from kandji_mirror.scheduler.worker import SyncWorker
from kandji_mirror.store.opening import open_store
from kandji_mirror.sync.run import run_request
from kandji_schema.registry import resources
from kandji_schema.settings import Settings
from kandji_simulator import TOKEN, Fault, FaultKind, Tenant, World
from kandji_watch.round import Round
from kandji_web import make_site

START = datetime(2026, 10, 22, 6, tzinfo=UTC)
"""A Thursday; in the night to Sunday daylight saving time ends in Europe."""

HOME_ZONE, AWAY = "Europe/Berlin", "Asia/Tokyo"

DOOR = "a-token-of-this-week-and-of-nobody"

STATEMENT = "SELECT blueprint_name, count(*) FROM devices GROUP BY ALL ORDER BY ALL"

CHECKS = """
[target.file]
file = "told.jsonl"

[check.macs_without_filevault]
tell = "file"

[check.devices_not_checked_in]
tell = "file"
"""

META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "week", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
MCP = {
    "content-type": "application/json",
    "accept": "application/json, text/event-stream",
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": "tools/call",
    "mcp-name": "run_sql",
}


class Clock:
    """The time of day, which jumps, and the seconds a machine was awake, which never go back."""

    def __init__(self, start: datetime) -> None:
        self._lock = threading.Lock()
        self._now, self._awake = start, 0.0

    def wall(self) -> datetime:
        """Return the time of day, aware UTC."""
        return self._now

    def timestamp(self) -> float:
        """Return it in seconds since 1970."""
        return self._now.timestamp()

    def awake(self) -> float:
        """Return the seconds the machine was awake."""
        return self._awake

    def pass_by(self, seconds: float) -> None:
        """Let time pass, for whoever waits too."""
        with self._lock:
            self._now += timedelta(seconds=seconds)
            self._awake += seconds

    def sleep(self, hours: float) -> None:
        """Have the machine sleep; with less than nothing its clock is set back."""
        with self._lock:
            self._now += timedelta(hours=hours)


@dataclass(frozen=True)
class Figures:
    """What there is at the end of a day. Sizes are MB; ``children`` are the workers for statements."""

    day: int
    memory: float
    children: float
    threads: int
    open_files: int
    files: int
    data: float
    history: float
    databases: float
    manifests: int
    told: float
    log_lines: int
    runs: int
    requests: int
    failed: int
    seconds: float


ALLOWED: Mapping[str, Callable[[float], float]] = {
    "memory": lambda before: before * 1.15 + 40,
    "children": lambda before: before * 1.25 + 40,
    "threads": lambda before: before + 8,
    "open_files": lambda before: before + 12,
    "files": lambda before: before * 1.5 + 40,
    "data": lambda before: before * 1.6 + 1,
    "databases": lambda before: before * 2.5 + 2,
    "manifests": lambda before: before + 5,
    "log_lines": lambda before: before * 1.6 + 50,
}
"""How much there may be at the end, by what there was after the second day; ``log_lines`` are those of a day."""


class Week:
    """One home, what syncs it, and what asks it."""

    def __init__(self, home: Path, devices: int, started: ExitStack, *, serves: bool) -> None:
        """``serves``: somebody asks, too."""
        self.home, self.clock = home, Clock(START)
        self.settings = Settings(mirror_home=str(home), mirror_http_port=0, mirror_http_token=DOOR, api_token=TOKEN)
        world = World(1, devices, apps_per_device=20, start=START)
        self.tenant = Tenant(world, clock=self.clock.timestamp, sleep=self.clock.pass_by, pace=1.0)
        self.log = _Counted()
        started.callback(self.log.detach)
        store = started.enter_context(open_store(home, "loopback", resources(), self.clock.wall))
        self.limiter = started.enter_context(
            RateLimiter(home, "loopback", per_second=45, per_hour=9_000, wall=self.clock.timestamp)
        )
        self.queue, quota = RefreshQueue(), Quota(self.clock.awake)
        runner = Runner(store, self._connect, run_request, quota, keep_days=400)
        backoff = Backoff(self.clock.awake)
        policy = SyncPolicy(3_000, mark=lambda: "one")
        self.worker = SyncWorker(store, runner, self.queue, quota, backoff, policy, self.clock.awake)
        (home / "checks.toml").write_text(CHECKS)
        self.checks = Round(self.settings, clock=self.clock.wall)
        context = ServerContext(self.settings, Background(self.settings), clock=self.clock.wall)
        self.server: HttpServer | None = None
        if serves:
            self.server = HttpServer(context, read_access(self.settings, folder=home), pages=make_site)
            started.callback(self.server.stop)
        self.requests = self.failed = 0
        self._seen: dict[Path, float] = {}
        started.callback(self.queue.wait_until_idle)

    @contextmanager
    def _connect(self, *, background: bool) -> Iterator[Connection]:
        permits = self.limiter.background() if background else self.limiter
        clock = self.clock
        client = Client(
            self.tenant.handle,
            TOKEN,
            permits,
            fetch=self.tenant.fetch,
            clock=clock.awake,
            wall=clock.timestamp,
            sleep=clock.pass_by,
        )
        try:
            yield Connection("loopback", "http://127.0.0.1", client)
        finally:
            client.stop()

    def live(self, seconds: float, step: float) -> None:
        """Do what `serve` does for so long, looking at the clock every ``step`` seconds."""
        ends = self.clock.awake() + seconds
        turn = 0
        while self.clock.awake() < ends:
            for priority in PRIORITIES:
                self.worker.sync_due(priority)
            self.worker.fulfil_requests()
            if turn % max(1, round(900 / step)) == 0:
                self._people_ask()
            if turn % max(1, round(3_600 / step)) == 0:
                self._browsers_ask()
            self.checks.run()
            self.clock.pass_by(step)
            self._age_files()
            turn += 1

    def _people_ask(self) -> None:
        asked = RefreshRequest.of_tables(("device_details", "tags"), sweep=20)
        self.queue.add(asked)
        self.worker.fulfil_requests()
        asked.done.exception(60)
        body = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {"name": "run_sql", "arguments": {"sql": STATEMENT}, "_meta": META},
        }
        self._ask("POST", "/mcp", json.dumps(body).encode(), MCP)
        for path in ("/healthz", "/metrics"):
            self._ask("GET", path)

    def _browsers_ask(self) -> None:
        for path in ("/", "/tables/devices?filevault_on=false", "/sign-in"):
            self._ask("GET", path)

    def _age_files(self) -> None:
        """Have files be as old as they would be: those that nobody needs go after minutes, by the system's clock."""
        now, ages = self.clock.timestamp(), {}
        for path in (self.home / "store").rglob("*.duckdb"):
            ages[path] = self._seen.get(path, now)
            written = time.time() - (now - ages[path])
            with suppress(FileNotFoundError):
                os.utime(path, (written, written))
        self._seen = ages

    def _ask(self, method: str, path: str, body: bytes | None = None, more: Mapping[str, str] | None = None) -> None:
        if self.server is None:
            return
        connection = http.client.HTTPConnection(urlsplit(self.server.url).netloc, timeout=60)
        try:
            connection.request(method, path, body, {"authorization": f"Bearer {DOOR}", **(more or {})})
            answer = connection.getresponse()
            answer.read()
        finally:
            connection.close()
        self.requests += 1
        self.failed += answer.status >= 500 and path != "/healthz"

    def figures(self, day: int, began: float) -> Figures:
        """Measure everything."""
        gc.collect()
        paths = [path for path in self.home.rglob("*") if path.is_file()]
        history = [path for path in paths if "history" in path.parts]
        databases = [path for path in paths if ".sqlite" in path.name]
        told = [path for path in paths if path.name == "told.jsonl"]
        rest = {*paths} - {*history, *databases, *told}
        lines, runs = self.log.taken()
        return Figures(
            day,
            memory=_memory(os.getpid()),
            children=sum(map(_memory, _children())),
            threads=threading.active_count(),
            open_files=_open_files(),
            files=len(paths) - len(history),
            data=_size(rest),
            history=_size(history),
            databases=_size(databases),
            manifests=sum("manifest" in path.name for path in paths),
            told=_size(told),
            log_lines=lines,
            runs=runs,
            requests=self.requests,
            failed=self.failed,
            seconds=time.perf_counter() - began,
        )


class _Counted(logging.Handler):
    """Counts the lines of the log, as it would be written."""

    def __init__(self) -> None:
        super().__init__()
        self._lines = self._runs = 0
        self.setFormatter(JsonLines())
        self.addFilter(RepeatFilter())
        self._loggers = [logging.getLogger(name) for name in ("kandji_mirror", "kandji_watch", "kandji_mcp_server")]
        for logger in self._loggers:
            logger.setLevel(logging.INFO)
            logger.propagate = False
            logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING and os.environ.get("WEEK_LOG"):
            print(self.format(record), file=sys.stderr)
        self._lines += len(self.format(record)) > 0
        self._runs += getattr(record, "event", "") == "run.ended"

    def taken(self) -> tuple[int, int]:
        """Return the lines and the runs since the last time."""
        found = self._lines, self._runs
        self._lines = self._runs = 0
        return found

    def detach(self) -> None:
        """Count no more."""
        for logger in self._loggers:
            logger.removeHandler(self)
            logger.propagate = True


def _memory(process: int) -> float:
    """MB in use by a process; 0 where the system does not tell in a file."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1_024 for line in lines if line.startswith("VmRSS")), 0.0)


def _children() -> list[int]:
    try:
        return [
            int(number)
            for task in Path("/proc/self/task").iterdir()
            for number in (task / "children").read_text().split()
        ]
    except OSError:
        return []


def _open_files() -> int:
    folder = Path("/proc/self/fd" if sys.platform == "linux" else "/dev/fd")
    return len(list(folder.iterdir()))


def _size(paths: "set[Path] | list[Path]") -> float:
    sizes = 0
    for path in paths:
        try:
            sizes += path.stat().st_size
        except FileNotFoundError:
            continue
    return sizes / 1e6


def zone(name: str) -> None:
    """Be somewhere else: the zone of this process changes, as when somebody travels."""
    os.environ["TZ"] = name
    time.tzset()


def run(home: Path, devices: int, days: int, step: float, hours: float, *, serves: bool = True) -> list[Figures]:
    """Live the week: each day awake for ``hours``, asleep for the rest; print a line a day."""
    found = []
    print(" ".join(f"{field.name:>10}" for field in fields(Figures)), flush=True)
    before = os.environ.get("TZ")
    zone(HOME_ZONE)
    with ExitStack() as started:
        week = Week(home, devices, started, serves=serves)
        began = time.perf_counter()
        for day in range(1, days + 1):
            if day == 4:
                week.clock.sleep(-1)  # set back by hand, an hour wrong until the next morning
                week.tenant.faults.append(Fault("devices", FaultKind.UNAVAILABLE, times=40))
            if day == 5:
                week.clock.sleep(1)
                zone(AWAY)
            week.live(hours * 3_600, step)
            week.clock.sleep(24 - hours)
            found.append(week.figures(day, began))
            print(" ".join(f"{_shown(value):>10}" for value in asdict(found[-1]).values()), flush=True)
    zone(before or "UTC")
    return found


def _shown(value: float) -> str:
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def grown(found: list[Figures]) -> list[str]:
    """Return what is more at the end than is allowed, by what there was after the second day."""
    early, last = (found[min(1, len(found) - 1)], found[-1])
    told = [
        f"{name}: {_shown(getattr(early, name))} after the second day, {_shown(getattr(last, name))} at the end"
        for name, most in ALLOWED.items()
        if getattr(last, name) > most(getattr(early, name))
    ]
    return told + ([f"{last.failed} answers failed"] if last.failed else [])


def main() -> None:
    """Live it, and tell what grew."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--devices", type=int, default=60)
    options.add_argument("--days", type=int, default=7)
    options.add_argument("--step", type=float, default=60.0, help="seconds between two looks at the clock")
    options.add_argument("--hours", type=float, default=18.0, help="hours of a day in which the machine is awake")
    options.add_argument("--only-sync", action="store_true", help="nobody asks by HTTP")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = run(Path(folder), chosen.devices, chosen.days, chosen.step, chosen.hours, serves=not chosen.only_sync)
    troubles = grown(found)
    print("\n".join(troubles) or "Nothing grew but history.")
    sys.stdout.flush()
    os._exit(1 if troubles else 0)  # as `serve` ends: threads that still wait are not waited for


if __name__ == "__main__":
    main()
