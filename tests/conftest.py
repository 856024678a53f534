"""The zone all tests run in, and what the tests of the MCP server share.

Imported lazily, as every test process loads this file.
"""

import atexit
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mcp_calls import Era

    from kandji_mcp_server.context import ServerContext


# West of Greenwich, by half an hour, with daylight saving: nothing may depend on the zone of the machine. Set before
# DuckDB is imported, which asks for it once. `TESTS_ZONE=Asia/Tokyo make test` runs them elsewhere.
os.environ["TZ"] = os.environ.get("TESTS_ZONE", "America/St_Johns")
time.tzset()

# A run in the background, or under nohup, may ignore them, and our commands would inherit that.
for _number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.default_int_handler if _number is signal.SIGINT else signal.SIG_DFL)


# Of whoever runs them with 002 every configuration would be its group's, too, and so be refused.
os.umask(0o022)


TIERS = ("slow", "heavy", "many")
"""``make test`` has none of them, ``make check`` the slow, ``make check-heavy`` the heavy, ``make check-all`` all."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let every so many-th case of a test with ``quick_every`` stand in a lower tier: some of each kind run early.

    That is the one below, or the one that ``keeps`` names.
    """
    seen: dict[tuple[str, str], int] = {}
    for item in items:
        marks = [mark for mark in item.iter_markers() if mark.name in TIERS and "quick_every" in mark.kwargs]
        for mark in marks:
            name = (str(item.path), item.name.partition("[")[0])
            seen[name] = seen.get(name, -1) + 1
            if seen[name] % mark.kwargs["quick_every"] == 0:
                item.own_markers.remove(mark)
                if mark.name != "slow":
                    item.add_marker(mark.kwargs.get("keeps", "slow"))
        slow = item.get_closest_marker("slow") or item.get_closest_marker("heavy")
        if slow and _param(item, "era") == "legacy":
            item.add_marker("many")  # the quick tests speak both; one that takes long is not about the protocol
        if item.get_closest_marker("slow") and item.get_closest_marker("heavy"):
            item.add_marker("many")  # one more case of a heavy test: the first stands for it


def _param(item: pytest.Item, name: str) -> object:
    return item.callspec.params.get(name) if isinstance(item, pytest.Function) and hasattr(item, "callspec") else None


_left_out: dict[str, int] = {}
"""How many tests of each tier were not asked for; xdist's workers tell the process that prints."""


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Count what the tier leaves out."""
    for item in items:
        for tier in TIERS:
            _left_out[tier] = _left_out.get(tier, 0) + (item.get_closest_marker(tier) is not None)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the process that prints, and wait for threads that are about to end.

    One that is still there when Python ends keeps DuckDB's objects, and the library around them then prints pages.
    """
    ends = time.monotonic() + 10
    for thread in threading.enumerate():
        if thread.daemon and not thread.name.startswith("Dummy"):  # those are of the libraries that run the tests
            thread.join(max(0.0, ends - time.monotonic()))
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = _left_out


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Have a worker end silently: all it has to say is said.

    The library around DuckDB prints a page about every object that outlives Python, as those do that a caught error or
    a thread still holds.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:
        atexit.register(lambda: os.dup2(os.open(os.devnull, os.O_WRONLY), 2))  # after pytest has put it back


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Hear from a worker; every one of them collects all."""
    _left_out.update(getattr(node, "workeroutput", {}).get("left_out", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line what was not run, and what runs it."""
    if any(_left_out.values()):
        told = " and ".join(f"{number} {tier}" for tier, number in _left_out.items() if number)
        terminalreporter.write_line(
            f"Left out: {told} tests. `make check` runs the slow, `make check-heavy` the heavy, `make check-all` all."
        )


@pytest.fixture(scope="session", autouse=True)
def shared(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Name the folder that all workers of this run share, for what is made once and copied.

    The user's folders are there too: nothing is counted or kept in those of whoever runs the tests.
    """
    folder = tmp_path_factory.getbasetemp()
    shared = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    os.environ["TESTS_SHARED"] = str(shared)
    os.environ["HOME"] = str(shared / "user")
    for kind in ("STATE", "CONFIG", "DATA", "CACHE"):
        os.environ.pop(f"XDG_{kind}_HOME", None)


@pytest.fixture(params=["auto", "legacy"])
def era(request: pytest.FixtureRequest) -> "Era":
    """Either era of the protocol."""
    chosen: Era = request.param
    return chosen


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[ServerContext]":
    """A small fleet that every test may read."""
    from mcp_calls import opened
    from reads_home import small_fleet

    home = tmp_path_factory.mktemp("home")
    small_fleet(home)
    with opened(home) as found:
        yield found
