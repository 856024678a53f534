"""What the tests of the MCP server share. Imported lazily, as every test process loads this file."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mcp_calls import Era

    from kandji_mcp_server.mirror import Mirror


@pytest.fixture(params=["auto", "legacy"])
def era(request: pytest.FixtureRequest) -> "Era":
    """Either era of the protocol."""
    chosen: Era = request.param
    return chosen


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Mirror]":
    """A small fleet that every test may read."""
    from mcp_calls import opened
    from reads_home import small_fleet

    home = tmp_path_factory.mktemp("home")
    small_fleet(home)
    with opened(home) as found:
        yield found
