"""Killed, locked out, full or damaged: the last good data keeps answering and nothing is lost."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from support import client_of, differing, make_tenant, manifest_of, mirrored, run_sync, synced, true_rows

from kandji_mirror.store.lock import writer_lock
from kandji_mirror.store.store import KEEP_MANIFESTS
from kandji_mirror.sync.run import sync
from kandji_schema.errors import AlreadySyncing, StoreDamaged, StoreFull
from kandji_schema.manifest import Manifest, TableState, data_dir, generations, kept, manifest_path
from kandji_schema.registry import resources

WRITTEN = ("devices", "users", "apps", "device_commands", "blueprints", "audit_events")
"""Tables of every way to be read: a list, one export a table, one request a device, and one that only grows."""

WRITER = f"""
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from support import make_tenant, run_sync
tenant = make_tenant(12, apps=3)
print("ready", flush=True)
while True:
    run_sync(Path(sys.argv[1]), tenant, *{WRITTEN}, everything=True)
    print("published", flush=True)
    tenant.world.advance(1)
"""


def start_writer(home: Path) -> subprocess.Popen[str]:
    """A process that syncs a changing tenant without end."""
    command = [sys.executable, "-c", WRITER, str(home), str(Path(__file__).parent)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.heavy
def test_a_writer_killed_at_any_moment_leaves_a_readable_store(tmp_path: Path) -> None:
    for runs, seconds in ((1, 0.05), (1, 0.3), (2, 0.15), (2, 0.6)):
        writer = start_writer(tmp_path)
        assert writer.stdout
        for _ in range(1 + runs):
            writer.stdout.readline()
        try:
            writer.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            writer.send_signal(signal.SIGKILL)
            writer.wait(timeout=10)
        writer.stdout.close()
        for state in manifest_of(tmp_path).tables.values():
            assert len(mirrored(tmp_path, state.name)) == state.rows
    tenant = make_tenant(12, apps=3)
    run_sync(tmp_path, tenant, *WRITTEN, everything=True)
    # the audit log never loses a row: it keeps what the killed writers saw of a world that went on
    assert set(differing(tmp_path, tenant.world, tables=WRITTEN)) <= {"audit_events"}
    assert list(data_dir(tmp_path).glob("*.tmp*")) == []


def test_a_second_writer_is_told_who_syncs(tmp_path: Path) -> None:
    tenant = make_tenant()
    (tmp_path / "store").mkdir()
    with writer_lock(tmp_path), pytest.raises(AlreadySyncing, match=f"process {os.getpid()} since"):
        run_sync(tmp_path, tenant)
    assert len(tenant.requests) == 0


@pytest.mark.heavy
def test_the_lock_is_free_again_after_its_holder_died(tmp_path: Path) -> None:
    writer = start_writer(tmp_path)
    assert writer.stdout
    writer.stdout.readline()
    writer.stdout.readline()
    writer.kill()
    writer.wait(timeout=10)
    writer.stdout.close()
    assert run_sync(tmp_path, make_tenant(12, apps=3), *WRITTEN, everything=True).failed == ()


@pytest.mark.slow
def test_a_damaged_manifest_is_passed_over(tmp_path: Path) -> None:
    tenant = make_tenant()
    run_sync(tmp_path, tenant, "devices", "users")
    run_sync(tmp_path, tenant, "devices", "users")
    manifest_path(tmp_path, 2).write_bytes(b'{"half')
    newest, before = kept(tmp_path)
    assert isinstance(newest, StoreDamaged)
    assert isinstance(before, Manifest)
    report = run_sync(tmp_path, tenant, "devices", "users")
    assert report.generation == 3
    assert "00000002.json cannot be used" in report.warnings[0]
    assert not {"devices", "users"} & set(differing(tmp_path, tenant.world))


def test_an_altered_manifest_is_noticed_by_its_checksum(tmp_path: Path) -> None:
    run_sync(tmp_path, make_tenant(), "devices")
    path = manifest_path(tmp_path, 1)
    envelope = json.loads(path.read_text())
    envelope["manifest"]["tables"]["devices"]["rows"] += 1
    path.write_text(json.dumps(envelope))
    (found,) = kept(tmp_path)
    assert "checksum" in str(found)


@pytest.mark.heavy
def test_only_the_last_manifests_stay_and_with_them_their_files(tmp_path: Path) -> None:
    tenant = make_tenant()
    for _ in range(KEEP_MANIFESTS + 2):
        run_sync(tmp_path, tenant, "devices", "users")
        tenant.world.advance(4)
        for path in data_dir(tmp_path).glob("*.duckdb"):
            os.utime(path, (0, 0))
    assert generations(tmp_path) == [7, 6, 5, 4, 3]
    named = {t.file for m in kept(tmp_path) if isinstance(m, Manifest) for t in m.tables.values() if t.file}
    assert {p.name for p in data_dir(tmp_path).glob("*.duckdb")} == named


@pytest.mark.heavy
def test_files_of_readers_that_are_slow_to_notice_stay_for_a_while(tmp_path: Path) -> None:
    tenant = make_tenant()
    for _ in range(KEEP_MANIFESTS + 2):
        run_sync(tmp_path, tenant, "devices")
        tenant.world.advance(4)
    assert len(list(data_dir(tmp_path).glob("devices.*.duckdb"))) == KEEP_MANIFESTS + 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_home_without_the_right_to_write_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreFull, match=str(tmp_path)):
        run_sync(tmp_path, make_tenant())


def test_a_home_that_is_a_file_is_named(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("")
    with pytest.raises(StoreFull, match=str(home)):
        run_sync(home, make_tenant())


@pytest.mark.heavy
def test_a_full_disk_fails_the_tables_and_keeps_what_was_there(tmp_path: Path) -> None:
    tenant = synced(tmp_path, 50, "apps", "devices", "users")
    before = true_rows(tenant.world, "apps")
    tenant.world.advance(4)
    script = (
        "import resource, sys; sys.path.insert(0, sys.argv[2])\n"
        "from pathlib import Path; from support import make_tenant, run_sync\n"
        "tenant = make_tenant(); tenant.world.advance(4)\n"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
        "report = run_sync(Path(sys.argv[1]), tenant, 'apps', 'devices', 'users', everything=True)\n"
        "print(sorted(o.table for o in report.failed)); print(report.failed[0].error)"
    )
    command = [sys.executable, "-c", script, str(tmp_path), str(Path(__file__).parent)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    failed, reason, *_ = done.stdout.splitlines()
    assert "apps" in failed
    assert "could not be written" in reason
    assert mirrored(tmp_path, "apps") == before
    assert list(data_dir(tmp_path).glob("*.tmp*")) == []


@pytest.mark.heavy
def test_ctrl_c_publishes_the_tables_that_were_complete(tmp_path: Path) -> None:
    tenant = make_tenant(350)

    class Impatient:
        def planned(self, tables: Sequence[str]) -> None: ...

        def started(self, table: str) -> None:
            if table == "blueprint_library_items":
                raise KeyboardInterrupt

        def advanced(self, table: str, *, pages: int, rows: int, total: int | None) -> None: ...
        def finished(self, outcome: object) -> None: ...

    with pytest.raises(KeyboardInterrupt):
        sync(tmp_path, "loopback", client_of(tenant.handle), everything=True, progress=Impatient())
    unread = {r.name for r in resources().values() if r.swept} | {"blueprint_library_items", "library_item_activity"}
    assert set(differing(tmp_path, tenant.world)) == unread


@pytest.mark.heavy
def test_the_mirror_is_for_its_owner_and_its_files_open_in_any_duckdb(tmp_path: Path) -> None:
    home = tmp_path / "home"
    run_sync(home, make_tenant(10, apps=1))
    path = data_dir(home) / str(manifest_of(home).tables["devices"].file)
    assert [p.stat().st_mode & 0o077 for p in (path, home)] == [0, 0]
    with duckdb.connect(path, read_only=True) as con:
        tags = con.execute("SELECT tags FROM duckdb_databases() WHERE NOT internal").fetchone()
    assert tags is not None
    assert "v1.5" in str(tags[0])


def test_a_manifest_says_the_same_after_a_journey_through_its_file() -> None:
    now = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    table = TableState("t", ("CREATE TABLE t (a INT)",), 60, "t.00000001.duckdb", 9, 3, "d", now, "full walk")
    manifest = Manifest(1, "acme", now, {"t": table})
    assert Manifest.from_json(manifest.to_json()) == manifest
