"""The MCP tools through a client in memory, each in both protocol eras."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import anyio
import pytest
from mcp import Client
from mcp.server.mcpserver import Context
from mcp.types import CallToolResult, ListToolsResult
from mcp_calls import Era, answer, calls, opened, refusal, republish, said
from reads_home import device, publish, small_fleet

from kandji_mcp_server.context import ServerContext
from kandji_mcp_server.examples import frequent_values
from kandji_mcp_server.registration import ToolSpec
from kandji_mcp_server.render.answers import DATA, RowsAnswer
from kandji_mcp_server.server import INSTRUCTIONS, READS_ONLY, build_server
from kandji_mcp_server.tools.queries import TOOLS_OF_THEIR_OWN
from kandji_mcp_server.tools.tables import table_answer
from kandji_queries.catalog.queries import catalog
from kandji_queries.definitions import views
from kandji_queries.reader import Reader
from kandji_schema.manifest import State, manifest_path
from kandji_schema.registry import tenant_tables

MINIMAL: dict[str, dict[str, object]] = {
    "fleet_overview": {},
    "describe_table": {"table": "devices"},
    "run_query": {"name": "devices_by_platform"},
    "run_sql": {"sql": "SELECT 1"},
    "search": {"words": "uptime"},
    "find_device": {"device": "S1"},
    "device_profile": {"device": "S1"},
    "changes": {},
    "sync_status": {},
    "refresh": {"tables": ["devices"]},
    "export": {"names": ["devices"]},
}
NAMES = list(MINIMAL)
READING = [name for name in NAMES if name != "refresh"]


def listed(mirror: ServerContext, era: Era) -> ListToolsResult:
    async def talk() -> ListToolsResult:
        async with Client(build_server(mirror), mode=era) as client:
            assert client.instructions == INSTRUCTIONS + READS_ONLY
            return await client.list_tools()

    return anyio.run(talk)


HINTS = {"refresh": (False, False, True, True), "export": (False, False, None, False)}
"""Read-only, destructive, idempotent, open-world of the tools that do more than read the mirror."""


def test_every_tool_says_what_it_does_and_takes_nothing_it_does_not_name(mirror: ServerContext, era: Era) -> None:
    tools = listed(mirror, era).tools

    assert [tool.name for tool in tools] == NAMES
    for tool in tools:
        hints = tool.annotations
        assert hints is not None
        told = (hints.read_only_hint, hints.destructive_hint, hints.idempotent_hint, hints.open_world_hint)
        assert told == HINTS.get(tool.name, (True, False, None, False))
        assert tool.title
        assert tool.description
        assert tool.output_schema
        assert tool.input_schema["additionalProperties"] is False


def test_the_list_of_tools_is_small(mirror: ServerContext, era: Era) -> None:
    assert len(listed(mirror, era).model_dump_json(by_alias=True, exclude_unset=True)) <= 12_000


def test_the_named_queries_can_be_called_from_the_description_alone(mirror: ServerContext, era: Era) -> None:
    (tool,) = (tool for tool in listed(mirror, era).tools if tool.name == "run_query")

    assert tool.description is not None
    words = tool.description.split()
    assert {"stale_devices(days=7,blueprint?)", "devices_without_user", "devices_with_app(app)"} <= {*words}
    assert {"activation_lock(with_unknown?)", "macs_without_sip", "app_versions(app,platform=any)"} <= {*words}
    listed_instead = {query.name for query in catalog().values() if query.like or query.made_for}
    assert {word.partition("(")[0] for word in words} >= catalog().keys() - TOOLS_OF_THEIR_OWN - listed_instead
    assert "devices_by_platform" in listed_instead
    assert "devices_by_platform" not in tool.description


def test_a_query_that_is_not_listed_runs_and_names_the_one_that_is(mirror: ServerContext, era: Era) -> None:
    for query in catalog().values():
        assert query.like is None or catalog()[query.like].like is None
    assert answer(mirror, era, "run_query", name="devices_by_platform")["total_rows"] == 2
    assert answer(mirror, era, "run_query", name="devices_by", params={"attribute": "OS"})["columns"][0] == "value"


def test_the_overview_shows_every_table_with_its_age_and_the_columns_that_are_asked_most(
    mirror: ServerContext, era: Era
) -> None:
    found = answer(mirror, era, "fleet_overview")

    tables = {name: (rows, age) for name, rows, age, _ in found["tables"]}
    assert tables.keys() == tenant_tables().keys()
    assert (tables["blueprints"], tables["users"]) == ((2, "3 min"), (0, "never synced"))
    assert found["platforms"] == {"Mac": 3, "iPad": 1}
    assert found["views"].keys() == views().keys()
    assert "filevault_on" in found["columns_of"]["fleet"]
    assert len(json.dumps(found)) < 6_500
    for table, columns in found["columns_of"].items():
        answer(mirror, era, "run_sql", sql=f"SELECT {columns} FROM {table}")


def test_a_table_is_described_with_its_joins_values_and_examples(mirror: ServerContext, era: Era) -> None:
    found = answer(mirror, era, "describe_table", table="devices")

    columns = {name: rest for name, *rest in found["columns"]}
    assert columns["os_version"][0] == "VARCHAR"
    assert "version_below" in columns["os_version"][1]
    assert columns["platform"][2] == {"all": ["Mac", "iPad"]}
    assert found["joins"]["device_id"] == ["apps.device_id", "and every other table with device_id"]
    assert found["description"].endswith("Row key: device_id.")
    assert "users.id" in found["joins"]["user_id"]
    assert "blueprints.id" in found["joins"]["blueprint_id"]
    assert "stale_devices(days=7, blueprint?)" in found["named_queries"]


def test_frequent_values_are_never_personal_ones(mirror: ServerContext, era: Era) -> None:
    for table in ("devices", "fleet", "apps"):
        text = json.dumps(answer(mirror, era, "describe_table", table=table))
        assert "user1@example.org" not in text
        assert "Mac 1" not in text


@pytest.mark.parametrize("tables", ["prism_filevault, fleet,fleet", ["prism_filevault", "fleet"]])
def test_several_tables_are_described_in_one_call(mirror: ServerContext, era: Era, tables: object) -> None:
    found = answer(mirror, era, "describe_table", table=tables)
    assert (found["name"], [other["name"] for other in found["more"]]) == ("prism_filevault", ["fleet"])
    assert "filevault_on" in [name for name, *_ in found["more"][0]["columns"]]
    assert "about_cells" not in found["more"][0]
    wrong = refusal(mirror, era, "describe_table", table="fleet,device")
    assert "There is no table 'device'. Did you mean devices" in wrong


def test_values_of_a_column_are_all_or_say_of_how_many_they_are(tmp_path: Path) -> None:
    models = [f"Model {n}" for n in range(20)] * 5
    rows = [device(n, model=model, platform="Mac" if n % 3 else "iPad") for n, model in enumerate(models)]
    publish(tmp_path, {"devices": rows})
    with Reader(tmp_path) as reader:
        found = frequent_values(reader, "devices", reader.describe("devices").columns)
    assert found["platform"] == {"all": ["Mac", "iPad"]}
    assert {name: len(values) for name, values in found["model"].items()} == {"most frequent 8 of 20": 8}
    assert "asset_tag" not in found


@pytest.mark.heavy
def test_the_examples_of_every_table_and_view_run(mirror: ServerContext) -> None:
    with Reader(mirror.home) as reader:
        for info in reader.tables():
            examples = table_answer(mirror, reader, info.name).examples
            assert examples, info.name
            for example in examples:
                reader.run(example)


def test_an_answer_is_dated_and_complete(mirror: ServerContext, era: Era) -> None:
    found = answer(mirror, era, "run_sql", sql="SELECT platform, count(*) AS n FROM devices GROUP BY ALL ORDER BY n")

    assert found == {
        "notes": ["devices include 1 missing (is_missing)."],
        "as_of": "2026-11-20T12:00:00Z",
        "age": "3 min",
        "row_count": 2,
        "truncated": False,
        "about_cells": DATA,
        "columns": ["platform", "n"],
        "rows": [["iPad", 1], ["Mac", 3]],
    }


def test_the_text_of_an_answer_is_compact(mirror: ServerContext, era: Era) -> None:
    (found,) = calls(mirror, era, ("run_sql", {"sql": "FROM devices"}))

    assert said(found) == json.dumps(found.structured_content, ensure_ascii=False, separators=(",", ":"))


def test_parameters_are_bound_not_written_into_the_statement(mirror: ServerContext, era: Era) -> None:
    hostile = "Robert'); DROP TABLE devices;--"

    found = answer(
        mirror, era, "run_sql", sql="SELECT $name AS name, $ids AS ids", params={"name": hostile, "ids": [1]}
    )

    assert found["rows"] == [[hostile, [1]]]


@pytest.mark.parametrize("params", [{"app": "zoom"}, '{"app": "zoom"}'])
def test_a_named_query_is_answered_in_one_call(mirror: ServerContext, era: Era, params: object) -> None:
    found = answer(mirror, era, "run_query", name="devices_with_app", params=params)

    assert [dict(zip(found["columns"], row, strict=True))["device_name"] for row in found["rows"]] == ["Mac 1"]
    assert found["as_of"] == "2026-11-20T12:00:00Z"


@pytest.mark.parametrize("tool", NAMES)
def test_a_misspelt_argument_is_refused_by_every_tool(mirror: ServerContext, era: Era, tool: str) -> None:
    said_ = refusal(mirror, era, tool, **MINIMAL[tool], limt=9)

    assert said_.startswith("There is no argument 'limt'. ")
    assert f"Arguments of {tool}: " in said_


def test_a_misspelt_argument_is_told_the_nearest_name(mirror: ServerContext, era: Era) -> None:
    assert refusal(mirror, era, "run_sql", sql="SELECT 1", param={}) == (
        "There is no argument 'param'. Did you mean params? Arguments of run_sql: sql, params (optional)."
    )


@pytest.mark.parametrize(
    ("tool", "arguments", "expected"),
    [
        ("run_sql", {}, "The argument sql is missing."),
        ("run_sql", {"sql": 5.5}, "The argument sql is 5.5: input should be a valid string."),
        (
            "run_sql",
            {"sql": "SELECT 1", "params": [1]},
            "The argument params is [1]: input should be a valid dictionary.",
        ),
        ("describe_table", {"table": None}, "The argument table is None: input should be a valid string."),
        ("describe_table", {"table": "device"}, "There is no table 'device'. Did you mean devices"),
        ("run_query", {"name": "stale"}, "There is no query 'stale'. Did you mean stale_devices?"),
        ("run_query", {"name": "stale_devices", "params": {"days": -1}}, "The parameter days is -1; it must be"),
        ("run_query", {"name": "stale_devices", "params": {"day": 3}}, "There is no parameter of stale_devices 'day'."),
    ],
)
def test_a_wrong_argument_is_named_with_the_rule(
    mirror: ServerContext, era: Era, tool: str, arguments: dict[str, object], expected: str
) -> None:
    assert refusal(mirror, era, tool, **arguments).startswith(expected)


@pytest.mark.parametrize(
    ("sql", "instead"),
    [
        ("DROP TABLE devices", "the mirror is read-only"),
        ("COPY devices TO '/tmp/stolen.csv'", "`kandji-mirror sql ... --format csv` writes rows to a file."),
        ("WITH c AS (COPY (SELECT 1) TO '/tmp/stolen.csv') SELECT 1", "COPY is not part of a query"),
        ("FROM read_csv('/etc/passwd')", "read_csv"),
        ("ATTACH '/tmp/other.duckdb'", "SHOW TABLES lists them"),
        ("SET threads=1", "Settings cannot be changed"),
        ("SELECT 1; SELECT 2", "exactly one at a time"),
        ("SELECT * FROM device", "Did you mean devices"),
        ("SELECT os FROM devices", "os_version"),
    ],
)
def test_a_statement_that_may_not_run_is_told_what_to_do_instead(
    mirror: ServerContext, era: Era, sql: str, instead: str
) -> None:
    assert instead in refusal(mirror, era, "run_sql", sql=sql)
    assert answer(mirror, era, "run_sql", sql="SELECT count(*) FROM devices")["rows"] == [[4]]


@pytest.mark.heavy(quick_every=4)
@pytest.mark.parametrize(
    ("limits", "rows"), [({"mirror_mcp_rows": 3}, 3), ({"mirror_mcp_bytes": 1_000, "mirror_mcp_rows": 100_000}, 250)]
)
def test_a_long_answer_is_cut_and_says_what_to_do(tmp_path: Path, era: Era, limits: dict[str, int], rows: int) -> None:
    small_fleet(tmp_path)
    with opened(tmp_path, **limits) as mirror:
        found = answer(mirror, era, "run_sql", sql="SELECT 10 AS n FROM range(5000)")

    assert found["truncated"] is True
    assert 0 < found["row_count"] == len(found["rows"]) <= rows
    assert "Aggregate, filter" in found["notes"][-1]


def test_one_long_cell_does_not_fill_the_answer(mirror: ServerContext, era: Era) -> None:
    found = answer(mirror, era, "run_sql", sql="SELECT repeat('x', 9000) AS script")

    assert len(found["rows"][0][0]) < 4_100
    assert found["notes"] == ["1 long value is cut to 4,000 bytes."]


def test_an_answer_with_more_columns_than_it_may_hold_is_refused(mirror: ServerContext, era: Era) -> None:
    stars = ", ".join("*" for _ in range(100))

    assert "Name the columns you need." in refusal(mirror, era, "run_sql", sql=f"SELECT {stars} FROM devices")


def test_without_a_mirror_every_tool_tells_how_to_make_one(tmp_path: Path, era: Era) -> None:
    with opened(tmp_path) as mirror:
        found = calls(mirror, era, *((tool, MINIMAL[tool]) for tool in READING))

    for tool, result in zip(READING, found, strict=True):
        assert result.is_error, tool
        assert "Run `kandji-mirror sync`" in said(result), tool


@pytest.mark.heavy
def test_a_mirror_made_after_the_start_is_found(tmp_path: Path, era: Era) -> None:
    with opened(tmp_path) as mirror:
        refusal(mirror, era, "run_sql", sql="FROM devices")
        manifest = small_fleet(tmp_path)
        assert answer(mirror, era, "run_sql", sql="SELECT count(*) FROM devices")["rows"] == [[4]]
        publish(tmp_path, {"devices": [device(9)]}, generation=2, keep=manifest)
        assert answer(mirror, era, "run_sql", sql="SELECT count(*) FROM devices")["rows"] == [[1]]


@pytest.mark.heavy
def test_an_answer_from_a_table_whose_sync_failed_says_so_first(tmp_path: Path, era: Era) -> None:
    republish(tmp_path, small_fleet(tmp_path), "devices", state=State.FAILED, error="503 from the provider")
    with opened(tmp_path) as mirror:
        found = answer(mirror, era, "run_sql", sql="SELECT count(*) FROM devices")

    assert next(iter(found)) == "notes"
    assert found["notes"][0] == (
        "devices: the last sync failed (503 from the provider), the rows are 3 min old; `refresh` tries again."
    )
    assert found["rows"] == [[4]]


@pytest.mark.heavy
def test_an_old_answer_says_how_old_and_what_to_do(tmp_path: Path, era: Era) -> None:
    long_ago = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
    republish(tmp_path, small_fleet(tmp_path), "devices", synced_at=long_ago)
    with opened(tmp_path) as mirror:
        found = answer(mirror, era, "run_sql", sql="SELECT count(*) FROM devices")

    assert found["notes"][0] == "devices: 3 h old, due after 5 min; `refresh` reads what is due."
    assert found["as_of"] == "2026-11-20T09:00:00Z"


def test_an_empty_table_that_was_never_synced_is_not_taken_for_none(mirror: ServerContext, era: Era) -> None:
    found = answer(mirror, era, "run_sql", sql="SELECT count(*) FROM users")

    assert found["notes"] == [
        "users: never synced, so empty here whatever the tenant holds; `refresh` reads what is due."
    ]
    assert (found["as_of"], found["age"]) == ({"users": None}, "never synced")


@pytest.mark.heavy
@pytest.mark.parametrize("era", ["auto"])  # others know that both eras say the same
def test_an_answer_from_an_older_state_says_so(tmp_path: Path, era: Era) -> None:
    small_fleet(tmp_path)
    manifest_path(tmp_path, 2).write_text("torn")
    asked: dict[str, dict[str, object]] = {**MINIMAL, "run_sql": {"sql": "FROM devices"}}
    with opened(tmp_path) as mirror:
        found = calls(mirror, era, *((tool, asked[tool]) for tool in READING))

    for tool, result in zip(READING, found, strict=True):
        assert any("00000002.json" in note for note in json.loads(said(result))["notes"]), tool


def test_text_that_cannot_be_seen_is_taken_out_of_cells_and_column_names(mirror: ServerContext, era: Era) -> None:
    statement = (
        "SELECT 'a' || chr(8238) || chr(27) || '[31mb' AS \"c\u202e\", {'k': chr(917569) || 'é\n👩\u200d💻'} AS s"
    )
    found = answer(mirror, era, "run_sql", sql=statement)

    assert found["rows"] == [["a[31mb", {"k": "é\n👩\u200d💻"}]]
    assert found["columns"] == ["c", "s"]
    assert found["notes"] == [
        "Control and text-direction characters were removed from some texts; look things up by identifier."
    ]


@pytest.mark.slow
def test_the_status_tells_why_data_is_missing(tmp_path: Path, era: Era) -> None:
    republish(tmp_path, small_fleet(tmp_path), "users", state=State.FORBIDDEN, error="403")
    with opened(tmp_path) as mirror:
        found = answer(mirror, era, "sync_status")
        closer = answer(mirror, era, "sync_status", tables=["users"])

    tables = {line[0]: line for line in found["tables"]}
    assert (found["tenant"], found["published_at"]) == ("example", "2026-11-20T12:00:00Z")
    assert found["columns"] == ["table", "state", "rows", "age", "due_after", "overdue"]
    assert tables["devices"] == ["devices", "ok", 4, "3 min", "5 min", False]
    assert tables["users"][:2] == ["users", "no permission"]
    assert any("users: the API token may not read it" in note for note in found["notes"])
    assert closer["details"]["users"]["error"] == "403"
    assert [line[0] for line in closer["tables"]] == ["users"]


@pytest.mark.heavy
def test_a_slow_statement_is_stopped_and_does_not_hold_up_the_others(tmp_path: Path, era: Era) -> None:
    small_fleet(tmp_path)
    slow = "SELECT count(*) FROM range(1000000) AS a, range(1000000) AS b WHERE a.range + b.range = 7"
    ended: list[str] = []

    async def talk(mirror: ServerContext) -> None:
        async def call(client: Client, sql: str) -> None:
            ended.append(said(await client.call_tool("run_sql", {"sql": sql}))[:25])

        async with Client(build_server(mirror), mode=era) as client:
            await call(client, "SELECT 1")  # starts the process, and one more to spare
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(call, client, slow)
                await anyio.lowlevel.checkpoint()
                tasks.start_soon(call, client, "SELECT")

    with opened(tmp_path, mirror_query_seconds=2) as mirror:
        anyio.run(talk, mirror)

    assert ended[-1] == "The statement was stopped"
    assert len(ended) == 3


async def broken(ctx: Context[ServerContext]) -> Annotated[CallToolResult, RowsAnswer]:
    """Fail as no tool should."""
    raise RuntimeError("the secret is in this text")


@pytest.mark.slow
def test_an_unexpected_failure_is_logged_and_not_shown(
    mirror: ServerContext, era: Era, caplog: pytest.LogCaptureFixture
) -> None:
    (found,) = calls(mirror, era, ("broken", {}), tools=[ToolSpec(broken, "Broken")])

    assert found.is_error
    assert said(found) == "Error executing tool broken"
    assert "the secret is in this text" in caplog.text
