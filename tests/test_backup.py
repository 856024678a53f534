"""Backups: one moment of a home, put back as a whole or not at all, and believed only as far as it is proved."""

import gzip
import io
import json
import shutil
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from commands import run
from killed import killed_at_every_step
from old_homes import OLD_HOMES, unpacked
from support import make_tenant, manifest_of, mirrored, run_sync, slow_but, synced
from test_store import start_writer

from kandji_mirror.audit.log import AuditLog, actor
from kandji_mirror.backup.contents import NAME, Contents
from kandji_mirror.backup.restore import restore
from kandji_mirror.backup.take import back_up
from kandji_mirror.backup.verify import verify_backup, verify_home
from kandji_mirror.store.lock import writer_lock
from kandji_queries.reader import Reader
from kandji_schema.audit import Event
from kandji_schema.errors import AlreadySyncing, NothingMirrored, StoreDamaged, StoreNewer, UsageError
from kandji_schema.files import make_folder
from kandji_schema.manifest import data_dir, manifest_path

TABLES = ("devices", "users")
HOOK = "https://hooks.slack.example/T00/SECRET"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A mirror with history, an audit log, a check with a secret, rules and a query of one's own."""
    folder = tmp_path / "home"
    tenant = synced(folder, 12, *TABLES)
    tenant.world.advance(4)
    run_sync(folder, tenant, *TABLES)
    log = AuditLog(folder, actor())
    for _ in range(3):
        log.append(Event.REFUSED, action="lock", detail="not on")
    (folder / "checks.toml").write_text(f'[target.ops]\nkind = "slack"\nurl = "{HOOK}"\n# url = "{HOOK}"\n')
    (folder / "compliance.toml").write_text("# none\n")
    (folder / "queries").mkdir(mode=0o700)
    (folder / "queries" / "mine.sql").write_text("-- title: Mine\nSELECT 1 AS one;\n")
    return folder


def taken(home: Path, to: Path, **asked: Any) -> Path:
    return back_up(home, str(to), **asked).path


def test_a_folder_and_those_above_it_that_are_made_with_it_are_their_owners_alone(tmp_path: Path) -> None:
    make_folder(tmp_path / "srv" / "kandji" / "store")
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "srv").rglob("*")} == {0o700}
    assert stat.S_IMODE((tmp_path / "srv").stat().st_mode) == 0o700


@pytest.mark.heavy
@pytest.mark.parametrize("name", slow_but("b.tar.gz", of=["backups", "b.tar", "b.tar.gz"], tier=pytest.mark.many))
def test_a_backup_is_the_whole_home_but_its_secrets_and_comes_back_as_it_was(name: str, home: Path) -> None:
    there = home.parent
    ended = run(there, "backup", "--to", str(there / name), KANDJI_MIRROR_HOME=str(home), KANDJI_API_TOKEN="SECRET")
    assert ended.returncode == 0, ended.stderr
    assert "url of target ops in checks.toml" in ended.stderr
    (backup,) = (there / name).iterdir() if name == "backups" else [there / name]
    made = [backup, *backup.rglob("*")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in made if path.is_file()} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in made if path.is_dir()} <= {0o700}
    whole = (
        gzip.decompress(backup.read_bytes())
        if backup.is_file()
        else b"".join(path.read_bytes() for path in made if path.is_file())
    )
    assert b"SECRET" not in whole
    assert run(there, "verify", str(backup)).stdout.startswith("GREEN: the backup")
    again = there / "again"
    ended = run(there, "restore", str(backup), "--to", str(again))
    assert ended.returncode == 0, ended.stderr
    for table in TABLES:
        assert mirrored(again, table) == mirrored(home, table)
    with Reader(home) as before, Reader(again) as after:
        changes = "SELECT * FROM changes ORDER BY ALL"
        assert before.run(changes).rows == after.run(changes).rows != []
    assert AuditLog(again, actor()).records() == AuditLog(home, actor()).records()
    for file in ("compliance.toml", "queries/mine.sql"):
        assert (again / file).read_text() == (home / file).read_text()
    assert "env:OPS_URL" in (again / "checks.toml.restored").read_text()
    assert not (again / "checks.toml").exists()
    assert not [*there.glob(".kandji*"), *again.rglob("*.tmp")]
    assert verify_home(again).troubles == {}
    assert run_sync(again, make_tenant(12), *TABLES).failed == ()


@pytest.mark.many
def test_a_backup_while_somebody_syncs_is_of_one_moment(tmp_path: Path) -> None:
    writer = start_writer(tmp_path / "home")
    assert writer.stdout
    try:
        for number in range(2):
            writer.stdout.readline()
            writer.stdout.readline()
            verdict = verify_backup(taken(tmp_path / "home", tmp_path / f"{number}.tar"))
            assert verdict.troubles == {}
            assert verdict.rows > 100
        assert verify_home(tmp_path / "home").troubles == {}  # also while it is written
    finally:
        writer.kill()
        writer.wait(timeout=10)
        writer.stdout.close()


@pytest.mark.many
def test_pseudonyms_are_the_same_after_a_restore_and_the_key_can_be_left_out(tmp_path: Path) -> None:
    home = unpacked(OLD_HOMES[4], tmp_path / "home")
    backup = taken(home, tmp_path / "b.tar.gz")
    restore(backup, tmp_path / "again")
    assert (tmp_path / "again" / "privacy.key").read_bytes() == (home / "privacy.key").read_bytes()
    restore(taken(home, tmp_path / "c.tar.gz", with_key=False), tmp_path / "other")
    assert not (tmp_path / "other" / "privacy.key").exists()


@pytest.mark.heavy
def test_a_home_that_is_not_empty_is_left_alone_or_moved_aside(home: Path) -> None:
    backup = taken(home, home.parent)
    before = mirrored(home, "devices")
    with pytest.raises(UsageError, match="is not empty"):
        restore(backup, home)
    with writer_lock(home), pytest.raises(AlreadySyncing, match="Stop it before"):
        restore(backup, home, force=True)
    tenant = make_tenant(12)
    tenant.world.remove(tenant.world.device_ids()[0])
    run_sync(home, tenant, *TABLES)
    now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    former = home / "aside" / "loopback-2026-11-30T120000Z" / "store" / "data"  # moved before the clock went back
    former.mkdir(parents=True)
    (former / "kept").touch()
    done = restore(backup, home, force=True, now=now)
    assert done.aside == home / "aside" / "loopback-2026-11-30T120000Z-2"
    assert (former / "kept").exists()
    assert mirrored(home, "devices") == before
    assert len(mirrored(done.aside, "devices")) == 11
    assert verify_home(done.aside).troubles == {}
    assert verify_home(home).troubles == {}


# -- killed, and without room -----------------------------------------------------------------------------------------

BACKUP = """
from pathlib import Path
import shutil
from kandji_mirror.backup.take import back_up
from kandji_mirror.backup.verify import verify_backup, verify_home
home, to = Path(sys.argv[1]), Path(sys.argv[2])
def work():
    back_up(home, str(to))
def look(number):
    there = [p for p in to.parent.iterdir() if not p.name.startswith(".")] if to.suffix else [*to.glob("[!.]*")]
    for path in there:
        if path != home:
            assert verify_backup(path).troubles == {}, path
            shutil.rmtree(path) if path.is_dir() else path.unlink()
"""

RESTORE = """
from pathlib import Path
import shutil
from kandji_mirror.backup.restore import restore
from kandji_mirror.backup.verify import verify_home
from kandji_schema.errors import NothingMirrored
from kandji_schema.manifest import newest_whole
source, home, force = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "force"
def work():
    restore(source, home, force=force)
def look(number):
    try:
        newest_whole(home)
        assert verify_home(home).troubles == {}
    except NothingMirrored:
        assert not force or (home / "restore.tmp" / "ready.json").exists(), number
    restore(source, home, force=True)
    assert verify_home(home).troubles == {}
    assert not (home / "restore.tmp").exists()
    for aside in (home / "aside").glob("*"):
        assert verify_home(aside).troubles == {}, (number, [*aside.rglob("*")])
        shutil.rmtree(aside)
    if not force:
        shutil.rmtree(home)
"""


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("to", "step"), [("to/b.tar", 61), *(pytest.param(to, 7, marks=pytest.mark.many) for to in ("to/b.tar", "to"))]
)
def test_a_backup_killed_at_any_step_leaves_none_or_a_whole_one(to: str, step: int, home: Path) -> None:
    (home.parent / "to").mkdir()
    assert killed_at_every_step(BACKUP, home, home.parent / to, step=step) > 50
    assert verify_home(home).troubles == {}
    taken(home, home.parent / "to" / "last.tar")
    assert not [*(home.parent / "to").glob(".*")]  # what the killed ones left is swept


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("force", "step"), [("", 97), *(pytest.param(force, 11, marks=pytest.mark.many) for force in ("", "force"))]
)
def test_a_restore_killed_at_any_step_is_carried_out_by_the_next(force: str, step: int, home: Path) -> None:
    backup = taken(home, home.parent / "b.tar")
    again = home if force else home.parent / "again"
    assert killed_at_every_step(RESTORE, backup, again, force, step=step) > 60


@pytest.mark.heavy
def test_a_full_disk_leaves_nothing_half_and_says_so(home: Path) -> None:
    backup = taken(home, home.parent / "b.tar")
    limited = (
        "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))\n"
    )
    script = (
        "from pathlib import Path\nimport sys\n"
        "from kandji_mirror.backup.take import back_up\nfrom kandji_mirror.backup.restore import restore\n"
        "from kandji_schema.errors import StoreError\n"
        f"{limited}"
        "for work in (lambda: back_up(Path(sys.argv[1]), sys.argv[3]), lambda: back_up(Path(sys.argv[1]), sys.argv[3] +"
        " '/b.tar.gz'), lambda: restore(Path(sys.argv[2]), Path(sys.argv[4]))):\n"
        "    try:\n        work()\n    except StoreError as error:\n        print(error.exit_code, error)\n"
    )
    (home.parent / "to").mkdir()
    places = map(str, (home, backup, home.parent / "to", home.parent / "again"))
    ended = subprocess.run([sys.executable, "-c", script, *places], capture_output=True, text=True, check=False)
    assert [line[:2] for line in ended.stdout.splitlines()] == ["8 "] * 3, ended.stderr
    assert [*(home.parent / "to").iterdir()] == []
    assert not (home.parent / "again").exists()
    assert verify_home(home).troubles == {}


# -- of unknown origin ------------------------------------------------------------------------------------------------

Change = Callable[[list[tuple[tarfile.TarInfo, bytes]]], Iterator[tuple[tarfile.TarInfo, bytes]]]


def forged(backup: Path, change: Change) -> Path:
    """The archive with other members."""
    with tarfile.open(backup) as archive:
        members = [(info, (archive.extractfile(info) or io.BytesIO()).read()) for info in archive]
    target = backup.with_name("forged.tar")
    with tarfile.open(target, "w") as archive:
        for info, data in change(members):
            archive.addfile(info, io.BytesIO(data))
    return target


def member(
    name: str, data: bytes = b"x", kind: bytes = tarfile.REGTYPE, link: str = ""
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = len(data), kind, link
    return info, data


def resigned(members: list[tuple[tarfile.TarInfo, bytes]], **said: Any) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    """As if the forger knew how the list of contents is made."""
    found = Contents.from_json(members[0][1])
    yield member(NAME, Contents(**{**vars(found), **said}).to_json())
    yield from members[1:]


def test_an_archive_of_unknown_origin_writes_nothing_anywhere_else(home: Path) -> None:
    backup, again = taken(home, home.parent / "b.tar"), home.parent / "again"
    tricks: list[Change] = [
        lambda members: iter([*members, member("../escaped")]),
        lambda members: iter([*members, member("/tmp/escaped")]),  # noqa: S108  # a trick
        lambda members: iter([*members, member("store/data/x.duckdb")]),
        lambda members: iter([members[0], member("store", b"", tarfile.SYMTYPE, "/etc"), *members[1:]]),
        lambda members: iter([members[0], member("store/tenant", b"", tarfile.LNKTYPE, "/etc/passwd"), *members[1:]]),
        lambda members: iter([members[0], member("audit.head", b"", tarfile.FIFOTYPE), *members[1:]]),
        lambda members: iter([members[0], member("x" * 5_000), *members[1:]]),
        lambda members: iter(members[:-1]),
        lambda members: iter([*members[:-1], (members[-1][0], b"\0" * len(members[-1][1]))]),
        lambda members: iter([*members, members[-1]]),
        lambda members: resigned(members, files=()),
        lambda members: resigned(members, generation=77),
        lambda members: iter(members[1:]),
    ]
    for number, trick in enumerate(tricks):
        source = forged(backup, trick)
        with pytest.raises((StoreDamaged, UsageError), match=r"restored|no backup") as refused:
            restore(source, again)
        assert not again.exists(), number
        assert len(str(refused.value)) < 2_000
        assert not (home.parent / "escaped").exists()
    with pytest.raises(StoreNewer, match=r"0\.9"):
        restore(forged(backup, lambda members: resigned(members, store=9, written_by="0.9")), again)
    bad_names = [
        {"path": name, "bytes": 1, "sha256": ""} for name in ("../x", "/x", "store/data/../../x.duckdb", "a\0b")
    ]
    for entry in bad_names:
        body = json.loads(Contents.from_json(forged_first(backup)).to_json())
        body["contents"]["files"] = [entry]
        with pytest.raises(StoreDamaged):
            Contents.from_json(json.dumps(body).encode())


def forged_first(backup: Path) -> bytes:
    with tarfile.open(backup) as archive:
        first = archive.next()
        assert first
        return (archive.extractfile(first) or io.BytesIO()).read()


@pytest.mark.slow
def test_what_was_cut_or_is_none_is_told_in_a_sentence(home: Path) -> None:
    backup = taken(home, home.parent / "b.tar.gz")
    whole, again = backup.read_bytes(), home.parent / "again"
    bomb = gzip.compress(member("x")[0].tobuf() + b"\0" * 50_000_000)
    for data in (b"", b"\0" * 5_000, whole[: len(whole) // 2], whole[:60], b"PK\3\4" * 99, bomb):
        backup.write_bytes(data)
        with pytest.raises((StoreDamaged, UsageError)):
            restore(backup, again)
        assert not again.exists()
    middle = len(whole) // 2
    backup.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    ended = run(home.parent, "verify", str(backup))
    assert ended.returncode == 8
    assert "RED" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
def test_a_data_file_that_would_run_something_is_no_data_file(home: Path) -> None:
    folder = taken(home, home.parent)
    contents = Contents.from_json((folder / NAME).read_bytes())
    state = manifest_of(folder).tables["users"]
    path = data_dir(folder) / str(state.file)
    with duckdb.connect(path) as con:
        con.execute("CREATE VIEW other AS SELECT * FROM read_text('/etc/passwd')")
    assert any("another hash" in t or "not" in t for t in verify_backup(folder).troubles.values())
    shutil.copy(path, data_dir(home) / str(state.file))
    troubles = verify_home(home).troubles
    assert "altered" in troubles[f"store/data/{state.file}"] or "views" in troubles[f"store/data/{state.file}"]
    assert contents.audit_records == 3


def test_a_folder_with_a_link_in_it_is_no_backup(home: Path) -> None:
    folder = taken(home, home.parent)
    (folder / "store" / "tenant").unlink(missing_ok=True)
    (folder / "store" / "tenant").symlink_to("/etc/passwd")
    (folder / "queries" / "deep").symlink_to("/etc")
    assert "does not belong" in str(verify_backup(folder).troubles)
    with pytest.raises(StoreDamaged, match="nothing was restored"):
        restore(folder, home.parent / "again")


# -- verify -----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_verify_names_what_is_wrong_with_a_home(home: Path) -> None:
    settings = {"KANDJI_MIRROR_HOME": str(home)}
    ended = run(home.parent, "verify", **settings)
    assert (ended.returncode, ended.stdout[:6]) == (0, "GREEN:"), ended.stderr
    manifest = manifest_of(home)
    users, devices = (data_dir(home) / str(manifest.tables[name].file) for name in ("users", "devices"))
    data = users.read_bytes()
    users.write_bytes(data[:-1])
    devices.write_bytes(bytearray(devices.read_bytes()).replace(b"Mac", b"Mbc"))
    segment = home / "store" / "history" / manifest.history[-1].file
    segment.unlink()
    manifest_path(home, 1).write_bytes(b"{}")
    ended = run(home.parent, "verify", "--json", **settings)
    assert ended.returncode == 8
    troubles = json.loads(ended.stdout)["troubles"]
    assert {Path(name).name for name in troubles} == {users.name, devices.name, segment.name, "00000001.json"}
    assert "cut or altered" in troubles[f"store/data/{users.name}"]


def test_where_nothing_is_there_is_nothing_to_prove_or_back_up(tmp_path: Path) -> None:
    for work in (lambda: verify_home(tmp_path), lambda: back_up(tmp_path, str(tmp_path / "b"))):
        with pytest.raises(NothingMirrored):
            work()
    assert [*tmp_path.iterdir()] == []
    for to in ("b.zip", "", "s3://bucket/b.tar"):
        assert run(tmp_path, "backup", "--to", to).returncode in (2, 7)
    assert run(tmp_path, "verify", str(tmp_path / "none")).returncode == 2
