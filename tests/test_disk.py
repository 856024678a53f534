"""What takes how much, what may go, a bound on history, and what `doctor --fix` mends: never a row."""

import json
import logging
import os
from pathlib import Path

import pytest
from commands import run
from support import make_tenant, manifest_of, mirrored, run_sync, synced, true_rows

from kandji_mirror.store.disk_use import collect, disk_use
from kandji_mirror.store.lock import writer_lock
from kandji_mirror.store.mending import mend
from kandji_queries.reader import Reader
from kandji_schema.disk import DiskBounds, bytes_of, parse_size
from kandji_schema.errors import AlreadySyncing, ConfigurationError
from kandji_schema.files import loose
from kandji_schema.manifest import Manifest, data_dir, generations, kept, manifest_path

TABLES = ("devices", "users")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", 0),
        ("0", 0),
        ("20GB", 20 * 10**9),
        (" 1.5 tb ", 1.5 * 10**12),
        ("500m", 5 * 10**8),
        ("12", 12),
        ("1kB", 1000),
    ],
)
def test_sizes_are_read_as_people_write_them(text: str, number: float) -> None:
    assert parse_size(text, "X") == number


@pytest.mark.parametrize("text", ["-1", "20 XB", "1e9", "GB", "nan", "9" * 5_000, "20GB; rm"])
def test_what_is_no_size_is_refused_with_its_name(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"KANDJI_X is .* size such as 20GB") as refused:
        parse_size(text, "KANDJI_X")
    assert len(str(refused.value)) < 300


@pytest.mark.heavy
def test_where_a_bound_is_reached_history_grows_no_more_and_rows_are_current(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tenant = synced(tmp_path, 12, *TABLES)
    tenant.world.advance(4)
    run_sync(tmp_path, tenant, *TABLES)
    before = sum(segment.bytes for segment in manifest_of(tmp_path).history)
    assert before
    with caplog.at_level(logging.WARNING, "kandji_mirror.store.store"):
        tenant.world.advance(4)
        report = run_sync(tmp_path, tenant, *TABLES, disk=DiskBounds(limit=1_000))
        assert report.failed == ()
        assert "history grows no more" in " ".join(report.warnings)
        assert sum(segment.bytes for segment in manifest_of(tmp_path).history) <= before
    assert len([r for r in caplog.records if "KANDJI_MIRROR_DISK_LIMIT" in r.getMessage()]) == 1
    assert mirrored(tmp_path, "devices") == true_rows(tenant.world, "devices")
    with Reader(tmp_path) as reader:
        assert reader.run("SELECT count(*) FROM changes").rows != []
    settings = {"KANDJI_MIRROR_HOME": str(tmp_path), "KANDJI_MIRROR_DISK_LIMIT": "1kB"}
    assert "KANDJI_MIRROR_DISK_LIMIT is 1.0 kB" in run(tmp_path, "status", **settings).stdout
    assert json.loads(run(tmp_path, "status", "--json", **settings).stdout)["disk"]["limit"] == 1_000
    assert "history grows no more" in run(tmp_path, "doctor", "--offline", **settings).stdout


@pytest.mark.many
def test_little_free_space_bounds_history_likewise(tmp_path: Path) -> None:
    tenant = make_tenant(12)
    report = run_sync(tmp_path, tenant, *TABLES, disk=DiskBounds(free=10**18))
    assert report.failed == ()
    tenant.world.advance(4)
    report = run_sync(tmp_path, tenant, *TABLES, disk=DiskBounds(free=10**18))
    assert "KANDJI_MIRROR_DISK_FREE" in " ".join(report.warnings)
    assert manifest_of(tmp_path).history == ()
    tenant.world.advance(4)
    assert run_sync(tmp_path, tenant, *TABLES).warnings == ()
    assert manifest_of(tmp_path).history


@pytest.mark.slow
def test_disk_tells_every_byte_and_gc_removes_what_nothing_names(tmp_path: Path) -> None:
    synced(tmp_path, 12, *TABLES)
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "x.csv").write_bytes(b"x" * 5_000)
    stray, left = data_dir(tmp_path) / "apps.00000099.duckdb", data_dir(tmp_path) / "apps.next.tmp"
    for path in (stray, left):
        path.write_bytes(b"x" * 3_000)
        os.utime(path, (1, 1))
    parts = {part.name: part.bytes for part in disk_use(tmp_path)}
    assert sum(parts.values()) == bytes_of(tmp_path)
    assert (parts["exports"], parts["earlier states"]) == (5_000, 6_000)
    settings = {"KANDJI_MIRROR_HOME": str(tmp_path)}
    told = run(tmp_path, "gc", "--dry-run", **settings)
    assert "apps.00000099.duckdb" in told.stdout
    assert "2 files would go, 6.0 kB" in told.stderr
    assert stray.exists()
    with writer_lock(tmp_path):
        assert [path for path, _ in collect(tmp_path, dry_run=True)] == [stray]
        with pytest.raises(AlreadySyncing, match="no need to"):
            collect(tmp_path)
    assert json.loads(run(tmp_path, "gc", "--json", **settings).stdout)["bytes"] == 6_000
    assert not stray.exists()
    assert not left.exists()
    assert run(tmp_path, "sql", "SELECT count(*) FROM users", **settings).returncode == 0
    assert run(tmp_path, "disk", **settings).stdout.startswith("part")


@pytest.mark.slow
def test_doctor_mends_rights_leftovers_and_a_manifest_that_cannot_be_read(tmp_path: Path) -> None:
    synced(tmp_path, 12, *TABLES)
    before = mirrored(tmp_path, "devices")
    data_dir(tmp_path).chmod(0o755)
    (data_dir(tmp_path) / "devices.next.tmp").touch()
    manifest_path(tmp_path, 2).write_text('{"half')
    ended = run(tmp_path, "doctor", "--offline", "--fix", "--json", KANDJI_MIRROR_HOME=str(tmp_path))
    mended = [each["detail"] for each in json.loads(ended.stdout)["checks"] if each["check"] == "mended"]
    assert len(mended) == 3
    assert loose(tmp_path / "store") == []
    assert not [*data_dir(tmp_path).glob("*.tmp")]
    assert generations(tmp_path)[0] == 3
    assert isinstance(next(kept(tmp_path)), Manifest)
    assert mirrored(tmp_path, "devices") == before
    assert [*mend(tmp_path)] == []
