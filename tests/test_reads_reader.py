"""The reader: always the newest whole state, limits that hold, any number of threads."""

import io
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from reads_home import SYNCED, device, publish, small_fleet

from kandji_queries.catalog.dictionary import TableInfo
from kandji_queries.engine.limits import QueryLimits
from kandji_queries.reader import Reader
from kandji_queries.results.formats import FORMATS, write
from kandji_schema.errors import Failed, NothingMirrored, Refused, StoreDamaged, TookTooLong, UnknownName
from kandji_schema.manifest import Manifest, data_dir, manifest_path, manifests_dir

COUNT = "SELECT count(*) FROM devices"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("published")
    small_fleet(home)
    return home


@pytest.fixture
def home(published: Path, tmp_path: Path) -> Path:
    shutil.copytree(published, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture(params=[False, True], ids=["eager", "lazy"])
def reader(home: Path, request: pytest.FixtureRequest) -> Iterator[Reader]:
    with Reader(home, QueryLimits(memory_mb=256), lazy=request.param, clock=lambda: SYNCED) as reader:
        yield reader


def spoil(path: Path) -> None:
    """Overwrite bytes in the middle of a data file; its size stays."""
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 64] = b"\xde\xad" * 32
    for start in range(8, len(data), 4096):
        data[start : start + 8] = b"\xde\xad\xbe\xef" * 2
    path.write_bytes(data)


def test_an_answer_says_what_it_is_and_how_old(reader: Reader) -> None:
    result = reader.run("SELECT device_name, tags FROM devices ORDER BY device_id LIMIT 1")
    assert [tuple(column) for column in result.columns] == [("device_name", "VARCHAR"), ("tags", "VARCHAR[]")]
    assert result.rows == [("Mac 1", ["lab"])]
    assert (result.row_count, result.truncated, result.notes) == (1, False, [])
    assert result.as_of == {"devices": "2026-11-20T12:00:00Z"}
    assert result.elapsed_ms > 0


def test_a_view_is_as_old_as_the_tables_behind_it(reader: Reader) -> None:
    as_of = reader.run("SELECT count(sip_on) FROM fleet").as_of
    assert as_of["devices"] == "2026-11-20T12:00:00Z"
    assert as_of["prism_startup_settings"] is None
    assert reader.run("FROM freshness").as_of == {}


def test_a_table_never_synced_is_empty_and_has_its_columns(reader: Reader) -> None:
    result = reader.run("SELECT id, email FROM users")
    assert (result.rows, result.as_of) == ([], {"users": None})


def test_show_tables_shows_exactly_what_may_be_asked(reader: Reader) -> None:
    shown = [name for (name,) in reader.run("SHOW TABLES").rows]
    assert shown == sorted(info.name for info in reader.tables())


def test_values_are_bound_never_pasted(reader: Reader) -> None:
    evil = "x' OR 1=1; DROP TABLE devices; --"
    assert reader.run(f"{COUNT} WHERE device_name = $name", {"name": evil}).rows == [(0,)]
    assert reader.run("SELECT $name AS v", {"name": evil}).rows == [(evil,)]


def test_a_parameter_too_many_is_an_error(reader: Reader) -> None:
    with pytest.raises(Refused, match=r"no parameter \$unused"):
        reader.run(COUNT, {"unused": 1})


def test_nothing_mirrored_says_what_to_do(tmp_path: Path) -> None:
    with Reader(tmp_path) as reader, pytest.raises(NothingMirrored, match="kandji-mirror sync"):
        reader.run("SELECT 1")


def test_a_new_state_answers_the_next_question(home: Path, reader: Reader) -> None:
    assert reader.run(COUNT).rows == [(4,)]
    publish(home, {"devices": [device(1)]}, generation=2)
    assert reader.run(COUNT).rows == [(1,)]


def test_an_answer_in_progress_keeps_its_state(home: Path, reader: Reader) -> None:
    sql = "SELECT a.device_id FROM devices AS a, range(5000)"
    with reader.stream(sql) as stream:
        rows = iter(stream)
        next(rows)
        publish(home, {"devices": [device(9)]}, generation=2)
        assert reader.run(COUNT).rows == [(1,)]
        assert {device_id for (device_id,) in rows} == {"d1", "d2", "d3", "d4"}
    assert stream.row_count == 20_000


def test_a_damaged_manifest_is_passed_over_and_reported(home: Path, reader: Reader) -> None:
    publish(home, {"devices": [device(1)]}, generation=2)
    manifest_path(home, 3).write_bytes(manifest_path(home, 2).read_bytes()[:-40])
    result = reader.run(COUNT)
    assert result.rows == [(1,)]
    assert "Manifest 00000003.json cannot be used" in reader.warnings[0]
    assert result.notes == reader.warnings


def test_a_manifest_of_a_missing_or_cut_file_is_passed_over(home: Path, reader: Reader) -> None:
    publish(home, {"devices": [device(1)]}, generation=2)
    publish(home, {"devices": [device(1), device(2)]}, generation=3)
    (data_dir(home) / "devices.00000003.duckdb").unlink()
    cut = data_dir(home) / "devices.00000002.duckdb"
    cut.write_bytes(cut.read_bytes()[:-100])
    assert reader.run(COUNT).rows == [(4,)]
    assert [w.split(":")[0] for w in reader.warnings[:2]] == ["State 3 cannot be used", "State 2 cannot be used"]


def test_a_file_found_altered_while_reading_is_passed_over(home: Path, reader: Reader) -> None:
    publish(home, {"devices": [device(n) for n in range(100)]}, generation=2)
    spoil(data_dir(home) / "devices.00000002.duckdb")
    assert reader.run("SELECT max(device_name) FROM devices").rows == [("Mac 4",)]
    assert "devices.00000002.duckdb" in reader.warnings[0]


@pytest.mark.parametrize("words", ["Corrupt database file", "IO Error: Corrupt database file", "checksum"])
def test_a_statement_cannot_make_a_whole_file_look_damaged(reader: Reader, words: str) -> None:
    with pytest.raises(Failed):
        reader.run("SELECT $words::INTEGER FROM devices", {"words": words})
    assert (reader.run(COUNT).rows, reader.warnings) == ([(4,)], [])


def test_a_view_of_columns_an_old_file_lacks_takes_nothing_else_down(home: Path, reader: Reader) -> None:
    old = publish(home, {}, generation=2).tables["prism_filevault"]
    ddl = ('CREATE TABLE "prism_filevault" ("device_id" VARCHAR)',)
    first = Manifest.from_json(manifest_path(home, 1).read_bytes())
    tables = {**first.tables, "prism_filevault": replace(old, ddl=ddl)}
    manifest = Manifest(generation=3, tenant="example", published_at=SYNCED, tables=tables)
    manifest_path(home, 3).write_bytes(manifest.to_json())
    with pytest.raises(Failed, match="sync --full"):
        reader.run("FROM fleet")
    assert reader.run(COUNT).rows == [(4,)]
    assert "fleet" not in {info.name for info in reader.tables()}


def test_a_repaired_store_answers_without_warnings(home: Path, reader: Reader) -> None:
    manifest_path(home, 2).write_bytes(b"{")
    reader.run(COUNT)
    assert reader.warnings
    publish(home, {"devices": [device(1)]}, generation=3)
    assert (reader.run(COUNT).rows, reader.warnings) == ([(1,)], [])


def test_a_store_without_any_whole_state_says_so(home: Path, reader: Reader) -> None:
    for path in manifests_dir(home).iterdir():
        path.write_bytes(b"")
    with pytest.raises(StoreDamaged, match="sync --full"):
        reader.run(COUNT)


def test_rows_beyond_the_limit_are_announced(home: Path) -> None:
    with Reader(home, QueryLimits(rows=3)) as reader:
        assert not reader.run("FROM range(3)").truncated
        result = reader.run("FROM range(4)")
    assert (result.rows, result.row_count, result.truncated) == ([(0,), (1,), (2,)], 3, True)
    assert "more than 3 rows" in result.notes[0]


def test_rows_beyond_one_batch_are_complete(reader: Reader) -> None:
    for size in (1_999, 2_000, 2_001, 4_000, 10_001):
        assert reader.run("SELECT i FROM range($n) AS t(i)", {"n": size}).row_count == size


def test_bytes_beyond_the_limit_are_announced(home: Path) -> None:
    with Reader(home, QueryLimits(bytes=100)) as reader:
        result = reader.run("SELECT repeat('x', 30) FROM range(10)")
    assert (result.row_count, result.truncated) == (2, True)
    assert len(json.dumps(result.to_json()["rows"])) <= 100


def test_long_cells_are_cut_and_counted(home: Path) -> None:
    with Reader(home) as reader:
        result = reader.run("SELECT repeat('é', 10), 'short'", limits=QueryLimits(cell_bytes=5))
    assert result.rows == [("éé… (+16 bytes)", "short")]
    assert result.notes == ["1 long value is cut to 5 bytes."]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM range(100000000) AS a, range(100000000) AS b",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
        "SELECT i FROM range(100000000) AS t(i) ORDER BY hash(i)",
    ],
)
def test_a_statement_is_stopped_at_its_deadline(reader: Reader, sql: str) -> None:
    with pytest.raises(TookTooLong):
        reader.run(sql, limits=QueryLimits(seconds=0.3))
    assert reader.run(COUNT).rows == [(4,)]


def test_fetching_counts_against_the_deadline(reader: Reader) -> None:
    with pytest.raises(TookTooLong, match=r"after its 0\.2 seconds"):
        reader.run(
            "SELECT i, md5(i::VARCHAR) FROM range(1000000000) AS t(i)", limits=QueryLimits(seconds=0.2, rows=10**9)
        )


def test_too_much_memory_is_an_error_that_says_so(reader: Reader) -> None:
    with pytest.raises(TookTooLong, match="memory"):
        reader.run("SELECT list(i) FROM range(100000000) AS t(i)")


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        (
            "SELECT devic_name FROM devices",
            ["There is no column 'devic_name'", "Did you mean devices.device_name", "LINE 1"],
        ),
        ("SELECT * FORM devices", ["cannot be parsed", "FORM"]),
        ("SELECT 'x'::INTEGER", ["Conversion error", "'x'"]),
        ("SELECT sum(device_name) FROM devices", ["sum(VARCHAR)"]),
    ],
)
def test_errors_of_the_engine_help_and_show_no_insides(home: Path, reader: Reader, sql: str, words: list[str]) -> None:
    with pytest.raises(Failed) as failed:
        reader.run(sql)
    text = str(failed.value)
    assert [word for word in words if word not in text] == []
    assert not [word for word in (str(home), "stored_", "duckdb.org", "SET lambda") if word in text]


@pytest.mark.slow
def test_threads_share_a_reader_while_states_change(home: Path) -> None:
    with Reader(home, QueryLimits(memory_mb=256)) as reader, ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(reader.run, f"SELECT count(*), {n} FROM devices") for n in range(60)]
        for generation in range(2, 6):
            publish(home, {"devices": [device(n) for n in range(generation)]}, generation)
        rows = [answer.result().rows[0] for answer in answers]
        assert [n for _, n in rows] == list(range(60))
        assert {count for count, _ in rows} <= {2, 3, 4, 5}
        assert reader.run(COUNT).rows == [(5,)]


def test_a_stream_writes_what_a_result_writes(reader: Reader) -> None:
    sql = "SELECT device_id, last_check_in, is_missing, is_removed FROM devices ORDER BY ALL"
    for name in FORMATS:
        streamed, collected = io.StringIO(), io.StringIO()
        with reader.stream(sql) as stream:
            write(stream, name, streamed)
        write(reader.run(sql), name, collected)
        texts = [re.sub(r'"elapsed_ms":[\d.]+', "", out.getvalue()) for out in (streamed, collected)]
        assert texts[0] == texts[1]


def test_a_named_query_streams_too(reader: Reader) -> None:
    with reader.stream_query("devices_by_platform") as stream:
        assert list(stream) == reader.query("devices_by_platform").rows


def test_the_known_escapes_are_closed(reader: Reader) -> None:
    before = reader.run("SHOW TABLES").rows
    reader.self_test()
    assert reader.run("SHOW TABLES").rows == before


def test_tables_are_listed_with_their_age(reader: Reader) -> None:
    infos = {info.name: info for info in reader.tables()}
    devices = infos["devices"]
    assert devices.age_seconds is not None
    assert replace(devices, age_seconds=0) == TableInfo(
        name="devices",
        kind="table",
        description="One row per enrolled device of any platform; the table others join to. fleet says more of each.",
        rows=4,
        synced_at="2026-11-20T12:00:00Z",
        state="ok",
        age_seconds=0,
        ttl_seconds=300,
        error=None,
    )
    assert (infos["users"].synced_at, infos["users"].state, infos["users"].age_seconds) == (None, "never synced", None)
    assert (infos["fleet"].kind, infos["fleet"].rows) == ("view", None)
    assert all(info.description for info in infos.values())


def test_columns_are_described_for_tables_with_and_without_a_file(reader: Reader) -> None:
    for table in ("devices", "users", "fleet"):
        detail = reader.describe(table)
        assert detail.info.name == table
        assert all(column.description and column.type for column in detail.columns)
    assert [c.type for c in reader.describe("DEVICES").columns if c.name == "tags"] == ["VARCHAR[]"]


def test_an_unknown_table_offers_the_nearest(reader: Reader) -> None:
    with pytest.raises(UnknownName, match="devices"):
        reader.describe("device")


def test_a_query_starts_without_the_heavy_libraries(home: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from kandji_queries.reader import Reader\n"
        f"with Reader(Path({str(home)!r}), lazy=True) as reader: reader.run({COUNT!r}); reader.query('stale_devices')\n"
        "heavy = {'sqlmodel', 'sqlalchemy', 'pydantic', 'sqlglot', 'httpx', 'typer', 'rich', 'mcp', 'pytz'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout == "[]\n"
