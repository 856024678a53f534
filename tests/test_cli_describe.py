"""What there is to ask, looked up at the prompt: tables, views, named queries and macros."""

import json
from pathlib import Path

import pytest
from commands import run
from reads_home import small_fleet

from kandji_cli.describe import EXAMPLES
from kandji_queries.catalog.declared import DeclaredMirror
from kandji_queries.catalog.queries import catalog
from kandji_schema.registry import resources


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    small_fleet(folder)
    return folder


@pytest.mark.parametrize("asked", [["query", "app_versions", "--help"], ["describe", "app_versions"]])
def test_a_named_query_is_looked_up_without_a_mirror(tmp_path: Path, asked: list[str]) -> None:
    done = run(tmp_path, *asked, COLUMNS="80")
    assert (done.returncode, done.stderr) == (0, "")
    query = catalog()["app_versions"]
    for words in (query.title, "One of any, Mac, iPhone", "required", *query.sql.splitlines()):
        assert words in done.stdout
    described = [line.split(maxsplit=2) for line in done.stdout.splitlines() if " VARCHAR " in line]
    meaning = next(column.description for column in resources()["apps"].columns if column.name == "bundle_id")
    assert [words for name, _, words in described if name == "bundle_id"] == [meaning]
    assert "kandji-mirror query app_versions -p app=chrome" in done.stdout


def test_help_without_a_name_is_the_commands_own(tmp_path: Path) -> None:
    for asked in (["query", "--help"], ["query", "-h"], ["query", "-p", "-h", "--help"]):
        assert "Usage: kandji-mirror query [OPTIONS] NAME" in run(tmp_path, *asked).stdout
    wrong = run(tmp_path, "query", "stale_device", "-h")
    assert (wrong.returncode, "stale_devices" in wrong.stderr) == (2, True)


def test_help_is_a_command_and_the_version_has_a_short_option(tmp_path: Path) -> None:
    asked, told = run(tmp_path, "help", "query", "app_versions"), run(tmp_path, "query", "app_versions", "-h")
    assert (asked.returncode, asked.stdout) == (0, told.stdout)
    assert run(tmp_path, "help").stdout == run(tmp_path, "--help").stdout
    assert (run(tmp_path, "help", "nonsense").returncode, "version" in run(tmp_path, "-V").stdout) == (2, True)


def test_a_table_and_a_view_are_described_before_the_first_sync(tmp_path: Path, home: Path) -> None:
    for name in ("devices", "fleet"):
        before, after = (run(place, "describe", name, "-f", "csv") for place in (tmp_path, home))
        assert (before.returncode, before.stdout) == (0, after.stdout)
    listed = run(tmp_path, "tables", "-f", "csv")
    assert (listed.returncode, "kandji-mirror sync" in listed.stderr) == (7, True)
    assert resources().keys() | {"fleet"} <= {line.split(",")[0] for line in listed.stdout.splitlines()}


def test_a_macro_is_described_and_every_name_is_known(home: Path) -> None:
    told = run(home, "describe", "version_below").stdout
    assert "version_below(version, other)" in told or "version_below(" in told
    for wrong, near in (("version_belo", "version_below"), ("stale_device", "stale_devices"), ("fleeet", "fleet")):
        done = run(home, "describe", wrong)
        assert (done.returncode, near in done.stderr) == (2, True)
        assert f"There is no table, view, query or macro '{wrong}'" in done.stderr


def test_a_column_means_what_it_does_in_the_table_that_the_statement_names() -> None:
    declared = DeclaredMirror()
    told = {
        name: {column.name: column.description for column in declared.columns(catalog()[name])}
        for name in ("devices_with_app", "devices_by_blueprint", "changes_on_device")
    }
    assert told["devices_with_app"]["version"].startswith("Version people see")
    assert told["devices_with_app"]["device_name"].startswith("Name of the device")
    assert told["devices_by_blueprint"]["devices"] == "Number of devices."
    assert told["changes_on_device"]["changed_at"]


def test_examples_have_a_value_for_each_text_that_must_be_given() -> None:
    texts = {
        p.name for query in catalog().values() for p in query.params if p.required and p.kind in {"text", "version"}
    }
    assert texts <= EXAMPLES.keys()


def test_the_list_of_queries_fits_the_terminal(tmp_path: Path) -> None:
    done = run(tmp_path, "queries")
    for query in catalog().values():
        assert query.title in done.stdout
        for param in query.params:
            assert all(choice in done.stdout for choice in param.choices)
    assert "query NAME --help" in done.stderr


def test_some_columns_and_some_rows_of_a_query(home: Path) -> None:
    asked = ["query", "devices_by_platform", "-f", "csv"]
    whole = run(home, *asked).stdout.splitlines()
    some = run(home, *asked, "--columns", "missing, PLATFORM", "--limit", "1")
    assert whole[:2] == ["platform,devices,missing,removed", "Mac,3,1,0"]
    assert (some.returncode, some.stdout.splitlines()) == (0, ["missing,platform", "1,Mac"])
    wrong = run(home, *asked, "--columns", "missin")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "There is no column 'missin'. Did you mean missing" in wrong.stderr


def test_a_wrong_value_of_a_parameter_names_those_it_takes(home: Path) -> None:
    done = run(home, "query", "app_versions", "-p", "app=zoom", "-p", "platform=pc")
    assert (done.returncode, "it must be one of any, Mac, iPhone" in done.stderr) == (2, True)
    assert json.loads(run(home, "query", "app_versions", "-p", "app=zoom", "-f", "jsonl").stdout)["app"] == "zoom.us"


def test_json_is_rows_as_objects_and_arrays_are_the_whole_document(home: Path) -> None:
    asked = ["query", "devices_by_platform"]
    objects = run(home, *asked, "--json")
    assert json.loads(objects.stdout)[0] == {"platform": "Mac", "devices": 3, "missing": 1, "removed": 0}
    assert "As of 2026-11-20 12:00 UTC" in objects.stderr
    document = run(home, *asked, "--json", "--arrays")
    assert json.loads(document.stdout)["rows"][0] == ["Mac", 3, 1, 0]
    assert (json.loads(document.stdout)["as_of"]["devices"], document.stderr) == ("2026-11-20T12:00:00Z", "")
    assert run(home, *asked, "-f", "ndjson").stdout == run(home, *asked, "-f", "jsonl").stdout
    twice = run(home, "sql", "SELECT 1 AS n, 2 AS n", "--json")
    assert (json.loads(twice.stdout), "'n_2' is a column 'n'" in twice.stderr) == ([{"n": 1, "n_2": 2}], True)
    wrong = run(home, *asked, "--json", "-f", "csv")
    assert (wrong.returncode, wrong.stdout, "two forms" in wrong.stderr) == (2, "", True)


@pytest.mark.parametrize(
    "asked",
    [
        ["sql", "FROM devices"],
        ["query", "stale_devices"],
        ["tables"],
        ["queries"],
        ["describe", "fleet"],
        ["changes"],
        ["status"],
        ["settings"],
        ["doctor", "--offline"],
        ["audit", "list"],
        ["audit", "verify"],
        ["action", "list"],
        ["mcp-config"],
    ],
    ids=" ".join,
)
def test_both_ways_to_ask_for_json_are_one(home: Path, asked: list[str]) -> None:
    short, long = (run(home, *asked, *how, KANDJI_MIRROR_ACTIONS="on") for how in (["--json"], ["-f", "json"]))
    found = json.loads(short.stdout)
    assert short.returncode == long.returncode
    assert found == json.loads(long.stdout) or asked[0] in {"status", "doctor"}  # which tell ages
    if isinstance(found, list):
        assert all(isinstance(row, dict) for row in found)


def test_the_catalogue_is_whole_for_programs(home: Path) -> None:
    listed = {query["query"]: query for query in json.loads(run(home, "queries", "--json").stdout)}
    (platform,) = (p for p in listed["app_versions"]["parameters"] if p["name"] == "platform")
    assert platform["choices"][:2] == ["any", "Mac"]
    assert (platform["default"], platform["required"]) == ("any", False)
    tables = json.loads(run(home, "tables", "--json").stdout)
    assert {table["rows"] for table in tables if table["table"] == "devices"} == {4}
    states = json.loads(run(home, "status", "--json").stdout)["tables"]
    assert states["devices"]["synced_at"] == "2026-11-20T12:00:00Z"
