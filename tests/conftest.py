"""The zone all tests run in, and what the tests of the MCP server share.

Imported lazily, as every test process loads this file.
"""

import os
import signal
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

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


@pytest.fixture(scope="session", autouse=True)
def shared(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Name the folder that all workers of this run share, for what is made once and copied."""
    folder = tmp_path_factory.getbasetemp()
    os.environ["TESTS_SHARED"] = str(folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder)


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
