"""The engine in waiting: it follows what changed, is sealed before anyone's statement, and gives up where it must."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from reads_home import SYNCED, device, publish, small_fleet

from kandji_queries.engine.limits import QueryLimits
from kandji_queries.engine.lockdown import BASE_SETTINGS, empty_engine
from kandji_queries.engine.query_engine import QueryEngine
from kandji_queries.engine.warm_engine import WarmEngine
from kandji_queries.reader import Reader
from kandji_schema.errors import StoreDamaged
from kandji_schema.files import write_atomically
from kandji_schema.manifest import Manifest, Segment, data_dir, kept, manifest_path
from kandji_schema.registry import resources

LIMITS = QueryLimits(memory_mb=256)
TABLES = frozenset({*resources(), "fleet", "freshness"})
COUNT = "SELECT count(*) FROM devices"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    small_fleet(tmp_path)
    return tmp_path


@pytest.fixture
def warm(home: Path) -> Iterator[WarmEngine]:
    """One engine waits, of the first state."""
    found = WarmEngine(
        lambda manifest, tables: QueryEngine(empty_engine(LIMITS), manifest, data_dir(home), tables, seal=BASE_SETTINGS)
    )
    found.prepare(newest(home), TABLES)
    settle()
    yield found
    found.close()


def newest(home: Path) -> Manifest:
    manifest = next(kept(home))
    assert isinstance(manifest, Manifest)
    return manifest


def settle() -> None:
    """Wait until nothing is being prepared."""
    for thread in threading.enumerate():
        if thread.name == "warm":
            thread.join()


def devices(home: Path, number: int, generation: int) -> Manifest:
    """The next state: other devices, everything else as it was."""
    return publish(home, {"devices": [device(n) for n in range(number)]}, generation, keep=newest(home))


def test_it_follows_to_a_new_state_and_is_sealed(home: Path, warm: WarmEngine) -> None:
    later = SYNCED.replace(hour=23)
    manifest = devices(home, 3, 2)
    tables = {**manifest.tables, "devices": replace(manifest.tables["devices"], synced_at=later, rows=3)}
    manifest = replace(manifest, tables=tables)
    engine = warm.take(manifest, TABLES)
    assert engine is not None
    with engine.cursor() as cursor:
        assert cursor.execute(COUNT).fetchall() == [(3,)]
        assert cursor.execute("SELECT count(*) FROM fleet").fetchall() == [(3,)]
        aged = "SELECT synced_at FROM freshness WHERE table_name = 'devices'"
        assert cursor.execute(aged).fetchall() == [(later.replace(tzinfo=None),)]
    assert engine.as_of(["devices"]) == {"devices": "2026-11-20T23:00:00Z"}
    engine.refuse_escapes()
    with pytest.raises(duckdb.Error, match="disabled"):
        engine.session().execute("ATTACH ':memory:' AS other; ATTACH '/tmp/x.duckdb' AS another")
    engine.close()


def test_one_that_waits_is_kept_where_another_is_wanted(home: Path) -> None:
    opened: list[Manifest] = []

    def open_engine(manifest: Manifest, tables: frozenset[str]) -> QueryEngine:
        opened.append(manifest)
        return QueryEngine(empty_engine(LIMITS), manifest, data_dir(home), tables, seal=BASE_SETTINGS)

    found = WarmEngine(open_engine)
    found.prepare(newest(home), TABLES)
    settle()
    later = devices(home, 3, 2)
    found.prepare(later, TABLES)
    settle()
    engine = found.take(later, TABLES)
    assert engine is not None
    with engine.cursor() as cursor:
        assert cursor.execute(COUNT).fetchall() == [(3,)]
    engine.close()
    found.close()
    assert len(opened) == 1


def test_it_is_taken_once(home: Path, warm: WarmEngine) -> None:
    engine = warm.take(newest(home), TABLES)
    assert engine is not None
    engine.close()
    assert warm.take(newest(home), TABLES) is None


@pytest.mark.parametrize("table", ["users", "prism_launch_agents_and_daemons"])
def test_a_table_that_is_mirrored_for_the_first_time_takes_a_new_engine(
    home: Path, warm: WarmEngine, table: str
) -> None:
    assert newest(home).tables[table].file is None
    manifest = publish(home, {table: []}, 2, keep=newest(home))
    assert warm.take(manifest, TABLES) is None


def test_other_columns_take_a_new_engine(home: Path, warm: WarmEngine) -> None:
    first = newest(home)
    narrow = replace(first.tables["devices"], ddl=('CREATE TABLE "devices" ("device_id" VARCHAR)',))
    assert warm.take(replace(first, generation=2, tables={**first.tables, "devices": narrow}), TABLES) is None


def test_tables_it_does_not_hold_take_a_new_engine(home: Path, warm: WarmEngine) -> None:
    assert warm.take(newest(home), TABLES | {"compliance"}) is None


def test_a_past_it_does_not_hold_is_no_matter_of_its(home: Path, warm: WarmEngine) -> None:
    manifest = replace(newest(home), generation=2, history=(Segment("x.duckdb", 1, SYNCED, SYNCED),))
    engine = warm.take(manifest, TABLES)
    assert engine is not None
    engine.close()


def test_a_damaged_file_is_told(home: Path, warm: WarmEngine) -> None:
    manifest = devices(home, 3, 2)
    (data_dir(home) / str(manifest.tables["devices"].file)).write_bytes(b"no data file")
    with pytest.raises(StoreDamaged):
        warm.take(manifest, TABLES)


def test_it_may_be_closed_while_one_is_made(home: Path, warm: WarmEngine) -> None:
    warm.prepare(newest(home), TABLES)
    warm.close()
    settle()
    warm.prepare(newest(home), TABLES)
    assert not [thread for thread in threading.enumerate() if thread.name == "warm"]


@pytest.mark.heavy
@pytest.mark.parametrize("patient", [True, False], ids=["ready", "not ready"])
def test_a_reader_with_one_answers_from_every_state(home: Path, patient: bool) -> None:
    with Reader(home, LIMITS, warm=True) as reader:
        for generation in range(2, 7):
            devices(home, generation, generation)
            assert reader.run(COUNT).rows == [(generation,)]
            assert reader.run("SELECT count(*) FROM fleet").rows == [(generation,)]
            if patient:
                settle()
        reader.self_test()


@pytest.mark.heavy
def test_a_reader_with_one_passes_over_a_damaged_file(home: Path) -> None:
    with Reader(home, LIMITS, warm=True) as reader:
        assert reader.run(COUNT).rows == [(4,)]
        settle()
        manifest = devices(home, 3, 2)
        file = data_dir(home) / str(manifest.tables["devices"].file)
        file.write_bytes(b"\0" * file.stat().st_size)
        assert reader.run(COUNT).rows == [(4,)]
        assert reader.warnings


@pytest.mark.slow
def test_an_answer_in_progress_keeps_its_state(home: Path) -> None:
    with Reader(home, LIMITS, warm=True) as reader:
        reader.run(COUNT)
        settle()
        with reader.stream("SELECT a.device_id FROM devices AS a, range(5000)") as stream:
            rows = iter(stream)
            next(rows)
            devices(home, 1, 2)
            assert reader.run(COUNT).rows == [(1,)]
            settle()
            assert {name for (name,) in rows} == {"d1", "d2", "d3", "d4"}


@pytest.mark.slow
def test_a_question_about_the_past_is_answered_from_the_newest_past(home: Path) -> None:
    with Reader(home, LIMITS, warm=True) as reader:
        for _ in range(2):
            assert reader.run("SELECT count(*) FROM changes").rows == [(0,)]
            settle()
            manifest = newest(home)
            following = replace(manifest, generation=manifest.generation + 1)
            write_atomically(manifest_path(home, following.generation), following.to_json())
