"""What a script can trust: answers that are too old, not whole, never synced or cut end with codes of their own."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from commands import run
from mcp_calls import opened, refusal
from reads_home import NOW, device, publish

from kandji_queries.reader import Reader
from kandji_queries.results.data_notes import Requirements
from kandji_schema.errors import NotFresh
from kandji_schema.manifest import State, manifest_path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Devices read now, apps long ago, blueprints now but failed since; users and all else never synced."""
    folder = tmp_path_factory.mktemp("home")
    rows = {"devices": [device(1), device(2), device(3)], "apps": [], "blueprints": [{"id": "b1", "name": "Lab"}]}
    manifest = publish(folder, rows)
    devices, blueprints = (
        replace(manifest.tables[name], synced_at=NOW.replace(tzinfo=UTC), ttl_seconds=86_400)
        for name in ("devices", "blueprints")
    )
    failed = replace(blueprints, state=State.FAILED, error="500")
    tables = {**manifest.tables, "devices": devices, "blueprints": failed}
    manifest_path(folder, 2).write_bytes(replace(manifest, generation=2, tables=tables).to_json())
    return folder


COUNT = "SELECT count(*) AS n FROM "


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("sql", COUNT + "devices", "--strict", "--max-age", "1h"), 0, ""),
        (("sql", "SELECT 1 AS n", "--strict", "--max-age", "1m"), 0, ""),
        (("sql", COUNT + "apps", "--max-age", "1h"), 9, "apps: "),
        (("sql", COUNT + "apps", "--max-age", "9999w"), 0, ""),
        (("sql", COUNT + "apps", "--strict"), 9, "due after"),
        (("sql", COUNT + "blueprints", "--max-age", "1d"), 0, "failed"),
        (("sql", COUNT + "blueprints", "--strict"), 9, "the last sync failed (500)"),
        (("sql", COUNT + "users"), 0, "never synced"),
        (("sql", COUNT + "users", "--strict"), 9, "users: never synced"),
        (("sql", COUNT + "users", "--max-age", "9999w"), 9, "users: never synced"),
        (("query", "apps_on_device", "-p", "device=d1", "--max-age", "1h"), 9, "apps"),
        (("query", "devices_by_platform", "--max-age", "1h"), 0, ""),
        (("export", "apps", "--to", "out", "--max-age", "1h"), 9, "apps"),
        (("export", "blueprints", "--to", "out", "--strict"), 9, "blueprints"),
        (("export", "users", "--to", "out"), 7, "users was not exported: users: never synced"),
        (("export", "devices", "--to", "fine", "--strict", "--max-age", "1h"), 0, "3 rows"),
        (("sql", "SELECT 1", "--max-age", "soon"), 2, "'soon' is no length of time"),
        (("sql", "SELECT 1", "--max-age", "0h"), 2, "'0h'"),
        (("query", "stale_devices", "-p", "days=7", "-p", "days=8"), 2, "given twice: '7' and '8'"),
    ],
)
def test_a_table_that_is_not_what_is_required_ends_with_a_code_of_its_own(
    home: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    done = run(home, *arguments)
    assert (done.returncode, words in done.stderr) == (code, True), done.stderr
    assert code == 0 or not done.stdout
    assert not (home / "out").exists() or not list((home / "out").glob("[!.]*"))


def test_an_export_of_everything_leaves_out_what_was_never_synced(home: Path, tmp_path: Path) -> None:
    done = run(home, "export", "--all", "--to", str(tmp_path / "out"), "--json")
    report = json.loads(done.stdout)
    names = {entry["name"] for entry in report["exports"]}
    assert (done.returncode, {"devices", "apps", "fleet", "changes"} <= names) == (0, True)
    assert "never synced" in report["left_out"]["users"]
    assert not (tmp_path / "out/users.parquet").exists()


@pytest.mark.parametrize("form", ["table", "json", "csv", "jsonl", "markdown", "arrays"])
def test_a_cut_answer_is_an_error_after_its_rows_unless_asked_for(home: Path, form: str) -> None:
    few = {"KANDJI_MIRROR_QUERY_ROWS": "2"}
    command = ("sql", "SELECT device_id FROM devices ORDER BY 1", "-f", form)
    cut = run(home, *command, **few)
    assert (cut.returncode, "d2" in cut.stdout, "d3" in cut.stdout) == (5, True, False)
    assert "more than 2 rows" in cut.stderr
    assert "--limit" in cut.stderr
    assert "--format csv" not in cut.stderr
    for limit, code in (("2", 0), ("1", 0), ("3", 5)):
        assert run(home, *command, "--limit", limit, **few).returncode == code
    whole = run(home, *command, "--limit", "3")
    assert (whole.returncode, "d3" in whole.stdout, "more than" in whole.stderr) == (0, True, False)


def test_a_table_dated_in_the_future_meets_no_age(tmp_path: Path) -> None:
    publish(tmp_path, {"devices": [device(1)]})
    before = datetime(2020, 1, 1, tzinfo=UTC)
    required = Requirements(max_age=NOW - datetime(1990, 1, 1))
    with (
        Reader(tmp_path, clock=lambda: before, requirements=required) as reader,
        pytest.raises(NotFresh, match="devices: dated in the future"),
    ):
        reader.run("FROM devices")


def test_an_assistant_gets_no_file_of_a_table_that_was_never_synced(home: Path) -> None:
    with opened(home) as mirror:
        assert "users was not exported: users: never synced" in refusal(mirror, "auto", "export", names=["users"])
    assert not list(home.rglob("users.csv"))
