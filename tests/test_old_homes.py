"""Homes of every earlier part: read as they are, brought up to date in place, refused where they are newer."""

import json
import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from commands import run
from killed import killed_at_every_step
from old_homes import OLD_HOMES, OldHome, unpacked
from support import Rows, looking_at, make_tenant, manifest_of, ordered, run_sync, slow_but, synced

from kandji_mirror.audit.log import AuditLog, actor
from kandji_mirror.store.opening import open_store
from kandji_mirror.store.store import COPY
from kandji_queries.reader import Reader
from kandji_schema.errors import StoreNewer
from kandji_schema.manifest import data_dir, generations, manifest_path, missing_files, newest_whole
from kandji_schema.registry import resources
from kandji_schema.store_version import STORE_VERSION

EVENTS = "SELECT changed_at, table_name, change, row_key FROM changes ORDER BY ALL"


Table = tuple[list[str], Rows]


def read(home: Path) -> dict[str, Table]:
    """Columns and rows of every data file, the rows as text."""
    found = {}
    for name, state in manifest_of(home).tables.items():
        if state.file:
            with looking_at(data_dir(home) / state.file) as con:
                answer = con.execute(f'SELECT COLUMNS(*)::VARCHAR FROM looked_at.main."{name}"')
                found[name] = [name for name, *_ in answer.description or ()], answer.fetchall()
    return found


def shared(table: Table, columns: list[str]) -> Rows:
    places = [table[0].index(column) for column in columns]
    return ordered(tuple(row[place] for place in places) for row in table[1])


def events(home: Path) -> Rows:
    with Reader(home) as reader:
        return reader.run(EVENTS).rows if manifest_of(home).history else []


def upgrade(home: Path, old: OldHome) -> None:
    with open_store(home, "loopback", resources(), privacy=old.privacy):
        pass


@pytest.mark.heavy
@pytest.mark.parametrize("old", slow_but(OLD_HOMES[0], of=OLD_HOMES, tier=pytest.mark.many), ids=str)
def test_a_home_of_an_earlier_version_answers_as_it_is_and_after_its_upgrade(old: OldHome, tmp_path: Path) -> None:
    home = unpacked(old, tmp_path)
    before, rows = manifest_of(home), read(home)
    with Reader(home) as reader:  # as it is, without a writer
        counts = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM {name}" for name in rows)
        assert dict(reader.run(counts).rows) == {name: len(table[1]) for name, table in rows.items()}
    known = events(home)
    assert bool(known) == bool(before.history)
    upgrade(home, old)
    after, new = manifest_of(home), read(home)
    assert (after.store, before.store) == (STORE_VERSION, 1)
    for name, (columns, _) in rows.items():
        kept = [column for column in columns if column in new[name][0]]
        assert len(kept) > len(columns) / 2
        assert shared(rows[name], kept) == shared(new[name], kept), name
    assert events(home) == known
    assert AuditLog(home, actor()).verify().green
    copy = manifest_of(home / COPY)
    assert (copy.generation, missing_files(home / COPY, copy)) == (before.generation, [])
    upgrade(home, old)  # once more: there is nothing left to do
    assert generations(home)[0] == after.generation


@pytest.mark.many
def test_the_copy_stays_until_the_next_good_pass_and_takes_no_space(tmp_path: Path) -> None:
    home = unpacked(OLD_HOMES[1], tmp_path)
    upgrade(home, OLD_HOMES[1])
    linked = [path for path in (home / COPY).rglob("*.duckdb") if path.stat().st_nlink > 1]
    assert len(linked) == len([*(home / COPY).rglob("*.duckdb")]) > 30
    assert run_sync(home, make_tenant(6, apps=3), "devices").failed == ()
    assert (home / COPY).exists()  # tables that were written anew still wait
    assert run_sync(home, make_tenant(6, apps=3)).failed == ()
    assert not (home / COPY).exists()


UPGRADER = """
import sys
from pathlib import Path
from kandji_mirror.store.opening import open_store
from kandji_schema.registry import resources
import kandji_mirror.sync.run, duckdb
print("ready", flush=True)
with open_store(Path(sys.argv[1]), "loopback", resources()):
    pass
print("done", flush=True)
"""


UPGRADE = """
import shutil
from pathlib import Path
from kandji_mirror.store.opening import open_store
from kandji_schema.manifest import newest_whole
from kandji_schema.registry import resources
from kandji_schema.store_version import STORE_VERSION
pristine, home = Path(sys.argv[1]), Path(sys.argv[2])
def work():
    with open_store(home, "loopback", resources()):
        pass
def rows(folder):
    found, warnings = newest_whole(folder)
    assert warnings == []
    events = sum(sum(segment.tables.values()) for segment in found.history)
    return events, {name: state.rows for name, state in found.tables.items() if state.file}
def look(number):
    assert rows(home) == rows(pristine), number
    work()
    assert rows(home) == rows(pristine), number
    assert rows(home / "before-upgrade") == rows(pristine)
    assert newest_whole(home)[0].store == STORE_VERSION
    assert not [*home.rglob("*.tmp*")]
    shutil.rmtree(home)
    shutil.copytree(pristine, home)
"""


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("old", "step"), [(OLD_HOMES[0], 211), pytest.param(OLD_HOMES[1], 17, marks=pytest.mark.many)], ids=str
)
def test_an_upgrade_killed_at_any_step_leaves_what_was_and_goes_on_later(
    old: OldHome, step: int, tmp_path: Path
) -> None:
    pristine, home = unpacked(old, tmp_path / "pristine"), unpacked(old, tmp_path / "home")
    assert killed_at_every_step(UPGRADE, pristine, home, step=step) > 60


@pytest.mark.heavy
def test_an_upgrade_without_room_changes_nothing_and_the_next_one_ends_well(tmp_path: Path) -> None:
    home = unpacked(OLD_HOMES[0], tmp_path)
    before = manifest_of(home)
    script = (
        "import resource, signal, sys\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))\n{UPGRADER}"
    )
    ended = subprocess.run([sys.executable, "-c", script, str(home)], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "StoreFull" in ended.stderr
    assert "Traceback" in ended.stderr  # a script: the command line tells it in a sentence
    assert newest_whole(home) == (before, [])
    upgrade(home, OLD_HOMES[0])
    assert manifest_of(home).store == STORE_VERSION


def contents(home: Path) -> dict[str, str]:
    """What is in a folder, by name."""
    return {
        str(path.relative_to(home)): sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in sorted(home.rglob("*"))
    }


def of_the_future(home: Path, **said: Any) -> None:
    path = manifest_path(home, generations(home)[0])
    envelope = json.loads(path.read_text())
    path.write_text(json.dumps({**envelope, **said}))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"store": 3, "written_by": "0.9.0", "manifest": ["another shape"]}, "kandji-mirror 0.9.0 (version 3 of the"),
        pytest.param({"format": 2, "written_by": ""}, "a newer kandji-mirror (version 3", marks=pytest.mark.many),
    ],
)
def test_a_newer_home_is_refused_with_one_sentence_and_not_touched(
    said: dict[str, Any], told: str, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    tenant = synced(home, 12, "devices", "users")
    of_the_future(home, **said)
    before = contents(home)
    with pytest.raises(StoreNewer, match="install"):
        run_sync(home, tenant, "devices")
    assert len(tenant.requests) == 0
    settings = {"KANDJI_MIRROR_HOME": str(home), "KANDJI_API_URL": "http://127.0.0.1:9", "KANDJI_API_TOKEN": "x" * 36}
    for command in (["sync"], ["sql", "SELECT 1 FROM devices"], ["status"], ["reset", "--tenant", "loopback"]):
        ended = run(tmp_path, *command, **settings)
        assert (ended.returncode, ended.stdout) == (8, "")
        assert told in ended.stderr
        assert len(ended.stderr.splitlines()) == 1
    assert contents(home) == before
    shutil.rmtree(home)


def test_a_version_that_is_none_is_damage(tmp_path: Path) -> None:
    synced(tmp_path, 12, "devices", "users")
    of_the_future(tmp_path, store="new")
    assert run_sync(tmp_path, make_tenant(12), "devices").warnings[0].startswith("Manifest 00000001.json cannot be")
    assert os.path.lexists(data_dir(tmp_path))
