"""Staged rows put into a published table leave exactly the rows that a reading of everything would."""

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from kandji_mirror.ingest.engine import Engine
from kandji_mirror.ingest.merge import Merged
from kandji_mirror.ingest.staging import Staging
from kandji_schema.errors import StoreDamaged, StoreError
from kandji_schema.registry import resource
from kandji_schema.resource import Resource


def seeded(seed: int) -> random.Random:
    """Chance that can be repeated."""
    return random.Random(seed)  # noqa: S311  # nothing here is a secret


APPS = resource("apps")
CERTIFICATES = resource("prism_certificates")

Row = dict[str, Any]


def app(device: str | None, number: int, version: str = "1", **more: Any) -> Row:
    return {"device_id": device, "bundle_id": f"b{number}", "path": f"/{number}", "version": version, **more}


def take(staging: Staging, rows: Sequence[Row]) -> None:
    for start in range(0, len(rows), 300):
        staging.add(json.dumps({"data": rows[start : start + 300]}))
    staging.flush()


@dataclass
class Mirror:
    """A table's data files, one after the other, in a folder."""

    folder: Path
    resource: Resource = APPS
    engine: Engine | None = None
    generation: int = 0
    built_bytes: int = 0

    @property
    def live(self) -> Path:
        return self.folder / f"{self.generation}.duckdb"

    def staging(self) -> Staging:
        scratch = self.folder / "scratch.tmp"
        scratch.unlink(missing_ok=True)
        return Staging(self.resource, scratch, engine=self.engine)

    def build(self, rows: Sequence[Row]) -> None:
        self.generation += 1
        with self.staging() as staging:
            take(staging, rows)
            staging.write(self.live)
        self.built_bytes = self.live.stat().st_size

    def merge(self, rows: Sequence[Row], whole: Collection[str] = ()) -> Merged:
        """Merge, and make the file that came of it the live one."""
        target = self.folder / f"{self.generation + 1}.duckdb"
        with self.staging() as staging:
            take(staging, rows)
            staging.drop_duplicates()
            expected = staging.rows_after(self.live, whole)
            merged = staging.merge(self.live, target, whole=whole, built_bytes=self.built_bytes)
        assert merged.rows == expected
        assert target.exists() == bool(merged.added + merged.changed + merged.removed)
        self.generation += target.exists()
        assert len(self.rows()) == merged.rows
        return merged

    def rows(self, columns: str = "device_id, bundle_id, version") -> list[tuple[Any, ...]]:
        with duckdb.connect(self.live, read_only=True) as con:
            return con.execute(f'SELECT {columns} FROM "{self.resource.name}" ORDER BY ALL').fetchall()


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    made = Mirror(tmp_path)
    made.build([app(device, n) for device, apps in (("a", 4), ("b", 4), ("c", 4), ("z", 40)) for n in range(apps)])
    return made


def test_a_staged_row_replaces_the_row_of_its_key(mirror: Mirror) -> None:
    before = mirror.live.read_bytes()
    old = mirror.live
    assert mirror.merge([app("a", 1, "2"), app("d", 1)]) == Merged(53, added=1, changed=1, removed=0, rebuilt=False)
    assert ("a", "b1", "2") in mirror.rows()
    assert ("a", "b1", "1") not in mirror.rows()
    assert ("d", "b1", "1") in mirror.rows()
    assert old.read_bytes() == before


def test_unchanged_rows_are_no_change_and_write_no_file(mirror: Mirror) -> None:
    assert mirror.merge([app("a", 1), app("b", 2)]) == Merged(52, 0, 0, 0, rebuilt=False)


def test_a_change_of_a_volatile_column_alone_is_a_change_of_the_row(mirror: Mirror) -> None:
    merged = mirror.merge([app("a", 1, last_collected_at="2026-01-01T00:00:00Z")])
    assert merged == Merged(52, added=0, changed=1, removed=0, rebuilt=False)


def test_nothing_staged_changes_nothing(mirror: Mirror) -> None:
    assert mirror.merge([]) == Merged(52, 0, 0, 0, rebuilt=False)


def test_of_whole_devices_the_rows_that_did_not_come_go(mirror: Mirror) -> None:
    merged = mirror.merge([app("a", 0), app("a", 1, "2"), app("a", 9)], whole=["a"])
    assert merged == Merged(51, added=1, changed=1, removed=2, rebuilt=False)
    assert [row for row in mirror.rows() if row[0] == "a"] == [("a", "b0", "1"), ("a", "b1", "2"), ("a", "b9", "1")]


def test_a_whole_device_without_any_row_is_removed(mirror: Mirror) -> None:
    assert mirror.merge([], whole=["b", "unknown"]) == Merged(48, added=0, changed=0, removed=4, rebuilt=False)
    assert {row[0] for row in mirror.rows()} == {"a", "c", "z"}


def test_keys_with_empty_parts_meet(mirror: Mirror) -> None:
    nameless = {"device_id": "a", "bundle_id": None, "path": None}
    mirror.merge([{**nameless, "name": "A"}, {**nameless, "name": "B"}])
    merged = mirror.merge([{**nameless, "name": "A", "version": "2"}])
    assert merged == Merged(54, added=0, changed=1, removed=0, rebuilt=False)
    assert [row for row in mirror.rows("name, version") if row[0]] == [("A", "2"), ("B", None)]


def test_rows_without_a_device_do_not_pile_up(mirror: Mirror) -> None:
    assert mirror.merge([app(None, 1)]).added == 1
    assert mirror.merge([app(None, 1)]) == Merged(53, 0, 0, 0, rebuilt=False)


def test_above_a_fifth_of_the_rows_the_file_is_rebuilt_in_order(mirror: Mirror) -> None:
    merged = mirror.merge([app("z", n, "2") for n in range(10)] + [app("aa", 1)])
    assert merged == Merged(53, added=1, changed=10, removed=0, rebuilt=True)
    with duckdb.connect(mirror.live, read_only=True) as con:
        devices = [device for (device,) in con.execute("SELECT device_id FROM apps").fetchall()]
        comments = con.execute("SELECT count(*) FROM duckdb_columns() WHERE table_name = 'apps' AND comment IS NULL")
        assert (devices, comments.fetchall()) == (sorted(devices), [(0,)])


def test_a_file_that_outgrew_itself_is_rebuilt(mirror: Mirror) -> None:
    mirror.built_bytes = mirror.live.stat().st_size // 2
    assert mirror.merge([app("a", 1, "2")]).rebuilt


def test_a_merge_into_a_table_without_rows_adds_all(tmp_path: Path) -> None:
    mirror = Mirror(tmp_path)
    mirror.build([])
    assert mirror.merge([app("a", 1)]) == Merged(1, added=1, changed=0, removed=0, rebuilt=True)


@pytest.mark.slow(quick_every=4)
@pytest.mark.parametrize("seed", range(4))
def test_any_sequence_of_merges_equals_the_truth(tmp_path: Path, seed: int) -> None:
    chance = seeded(seed)
    with Engine(tmp_path / "spill") as engine:
        mirror = Mirror(tmp_path, engine=engine)
        truth = {(d, n): app(d, n) for d in "abcdef" for n in range(40)}
        mirror.build(list(truth.values()))
        for round_ in range(6):
            whole = chance.sample("abcdefg", chance.choice([0, 0, 1, 3]))
            kept = {key: row for key, row in truth.items() if key[0] not in whole or chance.random() < 0.9}
            staged = {(d, n): app(d, n, str(chance.randrange(3))) for d in "abcg" for n in chance.sample(range(50), 4)}
            staged |= {key: row for key, row in kept.items() if key[0] in whole and key not in staged}
            truth = kept | staged
            merged = mirror.merge(chance.sample(list(staged.values()), len(staged)), whole)
            assert mirror.rows() == sorted((r["device_id"], r["bundle_id"], r["version"]) for r in truth.values())
            assert merged.rows == len(truth), round_


def test_the_numbers_of_rows_are_asked_for_again_after_more_was_staged(mirror: Mirror) -> None:
    with mirror.staging() as staging:
        take(staging, [app("d", 1)])
        first = staging.rows_after(mirror.live)
        take(staging, [app("d", 2)])
        assert (first, staging.rows_after(mirror.live)) == (53, 54)
        assert staging.rows_after(mirror.live, ["a"]) == 50


def test_the_staged_rows_can_be_asked_about(tmp_path: Path) -> None:
    with Staging(APPS, tmp_path / "scratch.tmp") as staging:
        assert (staging.first_keys(), staging.newest()) == ([], None)
        take(staging, [app("b", 1, updated_at="2026-01-01T02:00:00+02:00"), app("a", 1), app("b", 2), app(None, 3)])
        assert staging.first_keys() == ["a", "b"]
        assert staging.newest() == datetime(2026, 1, 1, tzinfo=UTC)


# -- tables with repeats -----------------------------------------------------------------------------------------


def certificate(device: str, name: str, **more: Any) -> Row:
    return {"device_id": device, "common_name": name, "identity_certificate": True, **more}


def numbered(folder: Path, rows: Sequence[Row]) -> tuple[str, list[tuple[Any, ...]]]:
    """Digest and rows of certificates that came in this order."""
    (folder / "scratch.tmp").unlink(missing_ok=True)
    with Staging(CERTIFICATES, folder / "scratch.tmp") as staging:
        take(staging, rows)
        staging.number_repeats()
        assert staging.drop_duplicates() == 0
        staging.write(folder / "next.tmp")
        digest = staging.digest()
    with duckdb.connect(folder / "next.tmp", read_only=True) as con:
        found = con.execute("SELECT device_id, common_name, ordinal, asset_tag FROM prism_certificates ORDER BY ALL")
        rows_found = found.fetchall()
    (folder / "next.tmp").unlink()
    return digest, rows_found


def test_rows_of_one_key_are_numbered_whatever_their_order(tmp_path: Path) -> None:
    rows = [certificate("d", "ca", asset_tag=tag) for tag in ("x", "y", "x")] + [certificate("d", "other")]
    digest, found = numbered(tmp_path, rows)
    assert found == [("d", "ca", 1, "x"), ("d", "ca", 2, "x"), ("d", "ca", 3, "y"), ("d", "other", 1, None)]
    for seed in range(5):
        assert numbered(tmp_path, seeded(seed).sample(rows, len(rows))) == (digest, found)


def test_what_moves_at_every_collection_does_not_renumber(tmp_path: Path) -> None:
    one, two = certificate("d", "ca", asset_tag="x"), certificate("d", "ca", asset_tag="y")
    _, before = numbered(tmp_path, [{**one, "updated_at": "2026-01-01"}, {**two, "updated_at": "2026-01-02"}])
    _, after = numbered(tmp_path, [{**one, "updated_at": "2026-01-03"}, {**two, "updated_at": "2026-01-02"}])
    assert before == after


def test_a_device_with_repeats_is_replaced_as_a_whole(tmp_path: Path) -> None:
    mirror = Mirror(tmp_path, CERTIFICATES)
    with mirror.staging() as staging:
        take(staging, [certificate(d, "ca") for d in "aabbb"])
        staging.number_repeats()
        staging.write(mirror.live)
    with mirror.staging() as staging:
        take(staging, [certificate("b", "ca"), certificate("b", "ca")])
        staging.number_repeats()
        merged = staging.merge(mirror.live, tmp_path / "next.tmp", whole=["b"])
    assert merged == Merged(4, added=0, changed=0, removed=1, rebuilt=False)
    assert merged.touched == frozenset({"b"})


# -- swept tables ------------------------------------------------------------------------------------------------


def test_a_swept_device_is_put_into_its_table(tmp_path: Path) -> None:
    swept = resource("device_parameters")
    mirror = Mirror(tmp_path, swept)
    for devices, names in (("abc", ("x", "y")), ("b", ("y", "z"))):
        with mirror.staging() as staging:
            for device in devices:
                rows = [{"item_id": name, "name": name, "status": "PASS"} for name in names]
                staging.add(json.dumps({"data": rows}), [device])
            target = tmp_path / f"{mirror.generation + 1}.duckdb"
            if mirror.generation:
                staging.merge(mirror.live, target, whole=devices)
            else:
                staging.write(target)
        mirror.generation += 1
    found = mirror.rows("device_id, item_id")
    assert found == [("a", "x"), ("a", "y"), ("b", "y"), ("b", "z"), ("c", "x"), ("c", "y")]


# -- trouble -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["cut", "altered", "no database"])
def test_a_damaged_published_file_is_told_and_left_alone(mirror: Mirror, damage: str) -> None:
    content = mirror.live.read_bytes()
    middle = len(content) // 2
    harmed = {
        "cut": content[:middle],
        "altered": content[:12_288] + bytes(b ^ 255 for b in content[12_288:]),
        "no database": b"not a database" * 1_000,
    }[damage]
    mirror.live.write_bytes(harmed)
    with mirror.staging() as staging:
        take(staging, [app("a", 1, "2")])
        with pytest.raises(StoreDamaged, match="is damaged"):
            staging.merge(mirror.live, mirror.folder / "next.tmp")
        assert staging.digest_of_file(mirror.live) is None
        assert staging.rows == 1
    assert mirror.live.read_bytes() == harmed


def test_a_damaged_file_does_no_harm_to_others_of_the_engine(tmp_path: Path) -> None:
    with Engine(tmp_path / "spill") as engine:
        mirror = Mirror(tmp_path, engine=engine)
        mirror.build([app("a", 1)])
        whole = mirror.live.read_bytes()
        mirror.live.write_bytes(whole[:12_288] + bytes(len(whole) - 12_288))
        with mirror.staging() as staging:
            take(staging, [app("a", 1, "2")])
            with pytest.raises(StoreError):
                staging.merge(mirror.live, tmp_path / "next.tmp")
        mirror.live.write_bytes(whole)
        assert mirror.merge([app("a", 2)]).rows == 2


FULL_DISK = """
import json, resource, sys
from pathlib import Path
from kandji_mirror.ingest.engine import Engine
from kandji_mirror.ingest.staging import Staging
from kandji_schema.errors import StoreFull
from kandji_schema.registry import resource as named
folder, limit = Path(sys.argv[1]), int(sys.argv[2])
def merge(name, engine, rows):
    with Staging(named("apps"), folder / f"{name}.tmp", engine=engine) as staging:
        staging.add(json.dumps({"data": rows}))
        return staging.merge(folder / "1.duckdb", folder / f"{name}.duckdb").rows
with Engine(folder / "spill") as engine:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        merge("full", engine, [{"device_id": f"new {n}", "info": f"{n} " * 300} for n in range(3_000)])
    except StoreFull as error:
        print("full:", "Free some space" in str(error))
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print("then:", merge("then", engine, [{"device_id": "d"}]))
"""


@pytest.mark.heavy(quick_every=4)
@pytest.mark.skipif(sys.platform == "win32", reason="the size of files cannot be limited")
@pytest.mark.parametrize("limit", [100_000, 400_000, 700_000, 1_000_000])
def test_a_full_disk_is_told_leaves_the_published_file_and_does_no_lasting_harm(mirror: Mirror, limit: int) -> None:
    before = mirror.live.read_bytes()
    command = [sys.executable, "-c", FULL_DISK, str(mirror.folder), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout, done.stderr, mirror.live.read_bytes()) == ("full: True\nthen: 53\n", "", before)


def test_after_a_page_that_is_no_json_nothing_is_believed_until_all_is_forgotten(tmp_path: Path) -> None:
    with Staging(APPS, tmp_path / "scratch.tmp") as staging:
        staging.add("{")
        for ask in (staging.flush, staging.digest, staging.first_keys):
            with pytest.raises(StoreError, match="could not be built"):
                ask()
        staging.clear()
        take(staging, [app("a", 1)])
        assert staging.rows == 1


def test_stagings_side_by_side_share_an_engine(tmp_path: Path) -> None:
    with Engine(tmp_path / "spill") as engine:
        one = Staging(APPS, tmp_path / "one.tmp", engine=engine)
        two = Staging(APPS, tmp_path / "two.tmp", engine=engine)
        with one, two:
            take(one, [app("a", n) for n in range(5)])
            take(two, [app("b", n) for n in range(3)])
            assert (one.rows, two.rows, one.first_keys(), two.first_keys()) == (5, 3, ["a"], ["b"])
            one.write(tmp_path / "live.duckdb")
            shutil.copyfile(tmp_path / "live.duckdb", tmp_path / "same.duckdb")
            assert list(two.missing(tmp_path / "same.duckdb")) == ["a"]
