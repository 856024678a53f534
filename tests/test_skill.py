"""The agent skill: to the rules of skills, of this server's own names, and with SQL that runs."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from commands import run
from past_home import PastHome
from reads_home import device

from kandji_mcp_server.server import TOOLS
from kandji_mcp_server.skill import FILE, skill_text
from kandji_queries.catalog.queries import catalog
from kandji_queries.definitions import macros, views
from kandji_queries.reader import Reader
from kandji_schema.actions import actions
from kandji_schema.registry import resources

TEXT = FILE.read_text(encoding="utf-8")
TOOL_NAMES = {spec.function.__name__ for spec in TOOLS}
LIVE = {action.tool for action in actions().values()} | {"action_status"}
COLUMNS = {column.name for resource in resources().values() for column in resource.columns}
PARAMS = {param.name for query in catalog().values() for param in query.params}
ANSWERS = {"notes", "age", "truncated", "total_rows", "params"}


def test_it_keeps_to_the_rules_of_skills() -> None:
    front = re.match(r"---\nname: ([a-z0-9-]{1,64})\ndescription: ([^\n]{1,1024})\nlicense: MIT\n---\n", TEXT)
    assert front is not None
    assert front[1] == FILE.parent.name == "kandji-mirror"
    assert not re.search(r": | #|^[^A-Za-z]", front[2])  # else it would need quotes in YAML
    assert TEXT.count("\n") < 500
    assert len(TEXT) / 4 < 5_000  # tokens


def test_it_is_what_the_definitions_say() -> None:
    assert "\n\n".join(skill_text()) + "\n" == TEXT


def test_it_names_every_tool_and_nothing_that_is_not_there() -> None:
    named = set(re.findall(r"`([a-z_]+)`", TEXT))
    tables = resources().keys() | views().keys()
    assert named >= TOOL_NAMES
    assert named <= TOOL_NAMES | LIVE | tables | COLUMNS | macros().keys() | PARAMS | ANSWERS
    for table, column in re.findall(r"`([a-z_]+)\.([a-z_]+)`", TEXT):
        assert table not in resources() or column in {found.name for found in resources()[table].columns}
        assert table in tables


def test_its_statements_run(tmp_path: Path) -> None:
    past = PastHome(tmp_path)
    for days in (10, 1):
        macs = [device(1), device(2, is_removed=days == 1)]
        chrome = {"device_id": "d1", "name": "Google Chrome", "path": "/Applications/c", "version": "129.0"}
        past.add(datetime.now(UTC) - timedelta(days=days), devices=macs, apps=[chrome])
    statements = re.findall(r"```sql\n(.*?)```", TEXT, re.DOTALL)
    assert len(statements) >= 3
    with Reader(tmp_path) as reader:
        for statement in statements:
            assert reader.run(statement).rows


def test_the_command_prints_it_and_it_is_part_of_the_package(tmp_path: Path) -> None:
    assert run(tmp_path, "mcp-config", "--skill").stdout == TEXT
    assert FILE.is_relative_to(Path(__file__).parent.parent / "mcp_server" / "kandji_mcp_server")
