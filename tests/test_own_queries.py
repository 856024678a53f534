"""Named queries of one's own: files in the folder ``queries`` of the data directory."""

import json
from pathlib import Path

import pytest
from commands import run
from mcp_calls import answer, opened, refusal
from reads_home import device, publish, small_fleet

from kandji_mcp_server.tools.queries import OWN_BYTES, queries
from kandji_queries.catalog.own_queries import own_queries
from kandji_queries.reader import Reader
from kandji_schema.errors import UsageError

HEADER = "-- title: Mine\n-- description: Of my own.\n"
MINE = HEADER + (
    "-- param: kind enum(any, Mac, iPad) = any | Which.\n-- column: n | How many.\n"
    "SELECT platform, count(*) AS n FROM devices WHERE $kind IN ('any', platform) GROUP BY ALL ORDER BY ALL;\n"
)
TELLS = HEADER + "-- tells: state\nSELECT 1 AS n"
DOCS = Path(__file__).parents[1] / "docs" / "queries.md"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    small_fleet(folder)
    own(
        folder, mine=MINE, tells=TELLS, writes=HEADER + "DROP TABLE devices", broken=HEADER + "-- colour: red\nSELECT 1"
    )
    return folder


def own(folder: Path, **files: str) -> Path:
    (folder / "queries").mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / "queries" / f"{name}.sql").write_text(text, encoding="utf-8")
    return folder / "queries"


def test_a_file_is_a_query_at_the_prompt(home: Path) -> None:
    ran = run(home, "query", "mine", "-p", "kind=Mac", "--json")
    assert (ran.returncode, json.loads(ran.stdout)) == (0, [{"platform": "Mac", "n": 3}])
    for told in (run(home, "query", "mine", "-h").stdout, run(home, "describe", "mine").stdout):
        assert "How many." in told
    listed = run(home, "queries")
    assert "Mine (your own)" in listed.stdout
    assert "broken.sql, line 3: `colour` is not one of" in listed.stderr
    wrong = run(home, "query", "mine", "-p", "kind=Max")
    assert (wrong.returncode, "it must be one of any, Mac, iPad" in wrong.stderr) == (2, True)
    assert "Did you mean mine" in run(home, "query", "mines").stderr


def counting(reader: Reader, folder: Path, sql: str) -> int:
    own(folder, counted=f"{HEADER}-- counts: devices\n{sql}")
    return int(reader.query("counted", {"with_removed": False}).rows[0][0])


@pytest.mark.parametrize(
    "sql",
    [
        "select count(*) as n from devices",
        'SELECT count(*) AS n FROM "Devices"',
        "SELECT count(DISTINCT d.device_id) AS n FROM blueprints AS b, devices AS d",
        "with x as (from devices) select count(*) as n from x",
        "WITH RECURSIVE not_counted AS (FROM devices) SELECT count(*) AS n FROM not_counted",
    ],
)
def test_removed_devices_are_left_out_of_ones_own_query_however_it_is_written(tmp_path: Path, sql: str) -> None:
    publish(tmp_path, {"devices": [device(1), device(2, is_removed=True)], "blueprints": [{"id": "b1", "name": "B"}]})
    with Reader(tmp_path) as reader:
        assert counting(reader, tmp_path, sql) == 1
        for refused in (
            "SELECT count(*) AS n FROM main.devices",
            "WITH devices AS (FROM main.devices) SELECT count(*) AS n FROM devices",
        ):
            with pytest.raises(UsageError, match="cannot be applied to this query"):
                counting(reader, tmp_path, refused)


def test_a_statement_of_ones_own_is_guarded_as_anyones_is(home: Path) -> None:
    for asked in (["query", "writes"], ["describe", "writes"], ["query", "--check", str(home / "queries/writes.sql")]):
        refused = run(home, *asked)
        assert (refused.returncode, refused.stdout, "read-only" in refused.stderr) == (5, "", True)


def test_a_broken_file_is_told_and_takes_no_other_along(home: Path) -> None:
    asked = run(home, "query", "broken")
    assert (asked.returncode, "broken.sql, line 3" in asked.stderr) == (3, True)
    looked = {
        check["check"]: check for check in json.loads(run(home, "doctor", "--offline", "--json").stdout)["checks"]
    }
    assert looked["own queries"]["detail"].startswith("mine, in ")
    assert {looked[f"query: {name}"]["health"] for name in ("broken", "tells", "writes")} == {"warning"}


@pytest.mark.slow
def test_a_header_that_names_what_is_not_there_is_told_with_its_line(tmp_path: Path) -> None:
    small_fleet(tmp_path)
    counts = HEADER + "-- counts: devices\nSELECT 1 AS n"
    folder = own(tmp_path, tells=TELLS, counts=counts, column=HEADER + "-- column: m | M.\nSELECT 1 AS n")
    said = {
        "tells": "tells.sql, line 3: `tells` names 'state', which its answer has not: n.",
        "counts": "counts.sql, line 3: with_removed=false and with_archived=false cannot be applied to this query: it "
        "reads no table of devices",
        "column": "column.sql, line 3: `column` names 'm', which its answer has not: n.",
    }
    looked = json.loads(run(tmp_path, "doctor", "--offline", "--json").stdout)["checks"]
    warned = {check["check"]: check["detail"] for check in looked if check["health"] == "warning"}
    assert {name: words in warned[f"query: {name}"] for name, words in said.items()} == dict.fromkeys(said, True)
    for asked, name in ((["--check", str(folder / "counts.sql")], "counts"), (["tells"], "tells")):
        ran = run(tmp_path, "query", *asked)
        assert (ran.returncode, ran.stdout, said[name] in ran.stderr) == (3, "", True)
    with Reader(tmp_path) as reader:
        assert reader.query("counts").rows == reader.query("column").rows == [(1,)]
        with pytest.raises(UsageError, match="it reads no table of devices"):
            reader.query("counts", {"with_removed": False})


def test_what_is_wrong_with_a_file_is_said(tmp_path: Path) -> None:
    folder = own(
        tmp_path, stale_devices=MINE, Name=MINE, huge=MINE + "-" * 100_000, like=HEADER + "-- like: mine\nSELECT 1"
    )
    (folder / "bytes.sql").write_bytes(b"\xff\xfe")
    (folder / "folder.sql").mkdir()
    for name, mode in (("others", 0o666), ("fine", 0o600)):
        (folder / f"{name}.sql").write_text(MINE)
        (folder / f"{name}.sql").chmod(mode)
    found = own_queries(tmp_path)
    assert list(found.queries) == ["fine"]
    words = {
        "stale_devices": "query of ours with that name",
        "Name": "small letter",
        "huge": "100,000 at most",
        "like": "line 3: `like`",
        "bytes": "UTF-8",
        "folder": "is no file",
        "others": "chmod go-w",
    }
    assert {name: word in found.broken[name] for name, word in words.items()} == dict.fromkeys(words, True)


def test_the_example_of_the_documents_is_one(tmp_path: Path) -> None:
    text = DOCS.read_text(encoding="utf-8").split("```sql\n")[1].split("```")[0]
    folder = own(tmp_path, little_memory=text)
    checked = run(tmp_path, "query", "--check", str(folder / "little_memory.sql"))
    assert (checked.returncode, "Memory in gigabytes" in checked.stdout) == (0, True), checked.stderr
    assert "it is the query little_memory" in checked.stderr


@pytest.mark.heavy
def test_assistants_run_them_by_name_and_the_list_stays_short(home: Path) -> None:
    with opened(home) as mirror:
        found = answer(mirror, "auto", "run_query", name="mine", params={"kind": "iPad"}, columns=["n"])
        assert (found["columns"], found["rows"], found["total_rows"]) == (["n"], [[1]], 1)
        assert "read-only" in refusal(mirror, "auto", "run_query", name="writes")
        assert "broken.sql, line 3" in refusal(mirror, "auto", "run_query", name="broken")
        assert "tells.sql, line 3: `tells` names" in refusal(mirror, "auto", "run_query", name="tells")
    line = queries(home).splitlines()[-1]
    assert line == "Queries of this mirror's owner: mine, tells, writes"
    assert len(line) < OWN_BYTES


def test_of_many_the_list_of_tools_names_some(tmp_path: Path) -> None:
    own(tmp_path, **{f"a_query_with_a_name_{number:03}": HEADER + "SELECT 1" for number in range(30)})
    line = queries(tmp_path).splitlines()[-1]
    assert line.endswith(" more in kandji://queries")
    assert len(line) <= 300
    assert queries() == queries(tmp_path / "nothing")
