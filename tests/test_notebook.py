"""The Python door: a connection that reads everything and writes nothing, and its page."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import duckdb
import pytest
from past_home import START, PastHome, hours
from reads_home import SYNCED, device, publish, small_fleet

import kandji_queries
from kandji_queries.charts.colours import DARK, LIGHT
from kandji_queries.charts.specification import specification
from kandji_queries.reader import Reader
from kandji_schema.errors import NothingMirrored, UsageError
from kandji_schema.manifest import data_dir, manifest_path

PAGE = Path(__file__).parent.parent / "docs" / "notebook.md"
BLOCKS = re.findall(r"^```python(?: needs=(\w+))?\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    small_fleet(folder)
    return folder


@pytest.fixture(scope="module")
def con(home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with kandji_queries.connect(home) as connection:
        yield connection


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two states, so that there is a past."""
    past = PastHome(tmp_path_factory.mktemp("changed"))
    past.add(START, devices=[device(1), device(2)])
    past.add(hours(1), devices=[device(1, os_version="26.1")])
    return past.home


@pytest.mark.parametrize("library", ["", "pandas", "polars"])
def test_the_page_runs(
    changed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], library: str
) -> None:
    if library and find_spec(library) is None:
        pytest.skip(f"{library} is not installed; its block of the page was not run")
    monkeypatch.setenv("KANDJI_MIRROR_HOME", str(changed))
    names: dict[str, object] = {}
    for needed, code in BLOCKS:
        if needed in {"", library}:
            exec(compile(code, str(PAGE), "exec"), names)  # noqa: S102  # our own page
    said = capsys.readouterr().out
    assert "2 devices at 2026-03-02 08:00, 1 now." in said
    assert re.search("Mac 26 +█+ 1\\n", said)
    assert "/vega-lite/v6.json" in said
    assert said.endswith("Use kandji-mirror export.\n")


@pytest.mark.heavy
def test_every_table_view_and_macro_is_there(home: Path, con: duckdb.DuckDBPyConnection) -> None:
    with Reader(home) as reader:
        for info in reader.tables():
            truth = reader.run(f'SELECT count(*) FROM "{info.name}"').rows
            assert con.execute(f'SELECT count(*) FROM "{info.name}"').fetchall() == truth, info.name
    assert con.execute("SELECT version_key('7.10') > version_key('7.9')").fetchone() == (True,)


def test_a_notebook_completes_its_names() -> None:
    assert {"connect", "mirrored_at"} <= set(dir(kandji_queries))


def test_a_query_without_a_picture_says_so(home: Path) -> None:
    with pytest.raises(UsageError, match="has no picture"):
        kandji_queries.picture("find_device", home, device="nothing")


@pytest.mark.slow
def test_a_picture_is_drawn_as_a_notebook_asks_for_it(home: Path) -> None:
    shown = kandji_queries.picture("devices_by", home, attribute="platform")
    bundle = shown._repr_mimebundle_(include=None, exclude=None)
    assert "<svg" in bundle["image/svg+xml"]
    assert "Mac" in bundle["text/plain"]
    assert bundle["text/plain"].endswith(shown.chart.dated)
    drawn = bundle["application/vnd.vegalite.v6+json"]
    assert json.loads(json.dumps(drawn))["description"] == shown.picture.sentence
    assert drawn == specification(shown.chart)


def test_a_picture_for_dark_ground_has_the_same_answer(home: Path) -> None:
    shown = kandji_queries.picture("devices_by", home, attribute="platform")
    assert (shown.specification["background"], shown.dark.specification["background"]) == (LIGHT.ground, DARK.ground)
    assert shown.dark.picture is shown.picture


def test_it_says_how_old_each_table_is(con: duckdb.DuckDBPyConnection) -> None:
    known = kandji_queries.mirrored_at(con)
    assert (known["devices"], known["users"]) == (SYNCED, None)
    assert isinstance(known["devices"], datetime)
    assert known["devices"].tzinfo is UTC


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE x (i INTEGER)",
        "CREATE VIEW x AS SELECT 1",
        "DROP VIEW devices",
        "CREATE OR REPLACE VIEW devices AS SELECT 1",
        "DELETE FROM stored_devices.main.devices",
        "UPDATE stored_devices.main.devices SET device_name = 'x'",
        "COPY devices TO '{home}/out.csv'",
        "COPY (SELECT 1) TO '{file}' (USE_TMP_FILE false)",
        "COPY (SELECT 1) TO '{file}.wal'",
        "WITH c AS (COPY (SELECT 1) TO '{home}/out.csv') SELECT 1",
        "FROM read_text('/etc/hostname')",
        "FROM read_blob('{file}')",
        "ATTACH '{home}/other.duckdb'",
        "ATTACH '{file}' AS again",
        "EXPORT DATABASE '{home}/all'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET threads = 7",
        "SET enable_external_access = true",
        "RESET disabled_filesystems",
    ],
)
def test_it_writes_nothing_and_opens_nothing(home: Path, con: duckdb.DuckDBPyConnection, statement: str) -> None:
    file = next(data_dir(home).glob("devices.*"))
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    with pytest.raises(duckdb.Error):
        con.execute(statement.format(home=home, file=file))
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before
    assert con.execute("SELECT count(*) FROM devices").fetchone() == (4,)


def test_a_failed_statement_leaves_the_connection_usable(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.Error):
        con.execute("FROM nonsense")
    con.execute("CREATE TEMP TABLE mine AS FROM devices")
    assert con.sql("SELECT count(*) FROM mine").fetchall() == [(4,)]


def test_it_stays_on_its_state_and_a_new_one_sees_the_next(tmp_path: Path) -> None:
    small_fleet(tmp_path)
    with kandji_queries.connect(tmp_path) as old:
        publish(tmp_path, {"devices": [device(1)]}, generation=2)
        with kandji_queries.connect(tmp_path) as new:
            counts = [con.execute("SELECT count(*) FROM devices").fetchone() for con in (old, new)]
    assert counts == [(4,), (1,)]


def test_an_older_state_is_warned_of(tmp_path: Path) -> None:
    small_fleet(tmp_path)
    manifest_path(tmp_path, 2).write_bytes(b"torn")
    with pytest.warns(UserWarning, match="00000002"), kandji_queries.connect(tmp_path) as con:
        assert con.execute("SELECT count(*) FROM devices").fetchone() == (4,)


def test_without_a_mirror_the_command_to_type_is_named(tmp_path: Path) -> None:
    with pytest.raises(NothingMirrored, match="kandji-mirror sync"):
        kandji_queries.connect(tmp_path)


def test_the_import_costs_nothing() -> None:
    script = "import sys, kandji_queries; print(sorted({'duckdb', 'kandji_schema'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"
    with pytest.raises(AttributeError, match="conect"):
        kandji_queries.conect  # noqa: B018  # the typo is the test
