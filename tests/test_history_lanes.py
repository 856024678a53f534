"""Several tables are published side by side with their history while readers ask about the past."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from past_home import PastHome, add_state, hours

from kandji_mirror.store.opening import open_store
from kandji_mirror.store.store import KEEP_MANIFESTS
from kandji_queries.reader import Reader
from kandji_schema.manifest import Manifest, data_dir, generations, history_dir, kept
from kandji_schema.registry import resources

ROUNDS = 12

LANES: dict[str, tuple[str, str]] = {"devices": ("device_id", "os_version"), "blueprints": ("id", "name")}
"""For each table its key and the column that a lane changes in every round."""


def rows_of(table: str, number: int) -> list[dict[str, Any]]:
    key, column = LANES[table]
    return [{key: "always", column: str(number)}, {key: f"only in {number}"}]


def versions(reader: Reader, table: str, number: int) -> list[tuple[Any, ...]]:
    key, column = LANES[table]
    return reader.run(f"SELECT {key}, {column} FROM {table}_as_of($m) ORDER BY ALL", {"m": hours(number)}).rows


@pytest.mark.heavy
def test_readers_see_a_whole_past_at_every_moment_while_lanes_publish(tmp_path: Path) -> None:
    done = Event()
    with (
        open_store(tmp_path, "example", resources(), lambda: hours(0)) as store,
        ThreadPoolExecutor(4) as pool,
    ):
        for table in LANES:
            add_state(store, hours(0), {table: rows_of(table, 0)})

        def publish(table: str) -> None:
            for number in range(1, ROUNDS):
                add_state(store, hours(number), {table: rows_of(table, number)})

        def ask(table: str) -> int:
            asked = 0
            with Reader(tmp_path) as reader:
                while asked < 3 or not done.is_set():
                    assert versions(reader, table, 0) == [("always", "0"), ("only in 0", None)]
                    reader.run("SELECT count(*) FROM changes")
                    asked += 1
                assert reader.warnings == []
            return asked

        lanes = [pool.submit(publish, table) for table in LANES]
        readers = [pool.submit(ask, table) for table in LANES]
        try:
            for lane in lanes:
                lane.result()
        finally:
            done.set()
        for answers in readers:
            assert answers.result() >= 3
    assert generations(tmp_path)[0] == len(LANES) * ROUNDS
    with Reader(tmp_path) as reader:
        for table in LANES:
            for number in range(ROUNDS):
                assert versions(reader, table, number) == [("always", str(number)), (f"only in {number}", None)]


@pytest.mark.slow
def test_segments_that_no_kept_state_names_go_and_the_rest_stays(tmp_path: Path) -> None:
    mirror = PastHome(tmp_path)
    for number in range(KEEP_MANIFESTS + 3):
        mirror.add(hours(number), devices=rows_of("devices", number))
        for path in history_dir(tmp_path).iterdir():
            os.utime(path, (0, 0))
    named = {s.file for m in kept(tmp_path) if isinstance(m, Manifest) for s in m.history}
    assert {path.name for path in history_dir(tmp_path).iterdir()} == named
    mirror.add(hours(99), devices=[])
    (history_dir(tmp_path) / "00000050.duckdb").write_bytes(b"of a killed writer, a moment ago")
    mirror.add(hours(100), devices=[])
    assert (history_dir(tmp_path) / "00000050.duckdb").exists()


def test_opening_the_store_sweeps_what_a_killed_writer_left(tmp_path: Path) -> None:
    mirror = PastHome(tmp_path)
    mirror.add(hours(0), devices=[])
    for folder in (history_dir(tmp_path), data_dir(tmp_path)):
        (folder / "00000002.duckdb.tmp").write_bytes(b"half")
        (folder / "recording.tmp").mkdir()
    mirror.add(hours(1), devices=[])
    assert [path for folder in ("history", "data") for path in (tmp_path / "store" / folder).glob("*.tmp*")] == []


def test_a_publication_without_history_leaves_the_segments_as_they_are(tmp_path: Path) -> None:
    mirror = PastHome(tmp_path)
    mirror.add(hours(0), devices=[])
    segments = mirror.segments
    with open_store(tmp_path, "example", resources(), lambda: hours(1)) as store:
        assert store.next_generation == 2
        assert store.publish({}).history == segments
        assert store.publish({}, ()).history == ()
