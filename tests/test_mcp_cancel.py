"""A client that no longer waits for a statement gives its place to others."""

from pathlib import Path

import anyio
import pytest
from mcp import Client
from mcp_calls import Era, opened, said
from reads_home import small_fleet

from kandji_mcp_server.context import ServerContext
from kandji_mcp_server.server import build_server
from kandji_queries.workers.pool import AT_ONCE

FOREVER = "SELECT count(*) FROM range(1000000) AS a, range(1000000) AS b WHERE a.range + b.range = 7"
DEAF = "SELECT levenshtein(repeat('a', 200000), repeat('b', 200000))"


@pytest.mark.heavy
@pytest.mark.parametrize("era", ["auto", "legacy"])
def test_a_cancelled_statement_stops(tmp_path: Path, era: Era) -> None:
    small_fleet(tmp_path)

    async def talk(mirror: ServerContext) -> str:
        async with Client(build_server(mirror), mode=era) as client:
            await client.call_tool("run_sql", {"sql": "SELECT 1"})
            async with anyio.create_task_group() as tasks:
                for number in range(AT_ONCE):
                    tasks.start_soon(client.call_tool, "run_sql", {"sql": (FOREVER, DEAF)[number % 2]})
                await anyio.wait_all_tasks_blocked()
                await client.call_tool("sync_status", {})  # long enough for the statements to run
                tasks.cancel_scope.cancel()
            with anyio.fail_after(30):
                return said(await client.call_tool("run_sql", {"sql": "SELECT 42 AS answer"}))

    with opened(tmp_path, mirror_query_seconds=600) as mirror:
        assert "[[42]]" in anyio.run(talk, mirror)
