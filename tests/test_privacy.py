"""Pseudonyms, their key, and what becomes of a mirror when the mode of privacy changes."""

import hmac
import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import pytest
from needles import NEEDLE, Planted, columns_with_needles, files_with_needles, is_in
from support import client_of, differing, make_tenant, manifest_of, run_sync

from kandji_mirror.ingest.csv_source import MemorySource
from kandji_mirror.ingest.engine import Engine
from kandji_mirror.ingest.staging import Staging
from kandji_mirror.privacy.key import Key, key_of
from kandji_mirror.privacy.masking import install, masked, masked_cell
from kandji_mirror.state import record_run
from kandji_mirror.store.opening import open_store
from kandji_mirror.sync.request import is_due
from kandji_mirror.sync.run import sync
from kandji_queries.export.export import ExportOptions, export
from kandji_queries.reader import Reader
from kandji_queries.results.data_notes import Requirements
from kandji_schema.columns import Kind
from kandji_schema.errors import ConfigurationError, NotFresh, NotMasked, StoreFull
from kandji_schema.manifest import data_dir, generations, history_dir
from kandji_schema.privacy import Privacy
from kandji_schema.registry import resource, resources

SECRET = bytes(range(32))
FEW = ("devices", "users", "prism_local_users")


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    found = duckdb.connect()
    install(found, Key(SECRET))
    return found


def shown(con: duckdb.DuckDBPyConnection, table: str, column: str, value: object) -> Any:
    """A value as it is in a masked file."""
    found = next(c for c in resource(table).columns if c.name == column)
    return con.execute(f"SELECT {masked(found, f'$1::{found.kind}')}", [value]).fetchall()[0][0]


# -- pseudonyms ----------------------------------------------------------------------------------------------------


def test_a_pseudonym_is_the_hmac_of_the_value(con: duckdb.DuckDBPyConnection) -> None:
    name = "Ana Müller"
    digest = hmac.new(SECRET, name.encode(), sha256).hexdigest()
    assert shown(con, "devices", "user_name", name) == f"person_{digest[:16]}"


@pytest.mark.parametrize(
    ("table", "column", "value", "pattern"),
    [
        ("devices", "device_name", "Ana's Mac", r"device_\w{16}"),
        ("blueprints", "description", "ask Ana", r"text_\w{16}"),
        ("apps", "path", "/Users/ana/Applications/X.app", r"/Users/path_\w{16}"),
        ("apps", "path", "/Applications/Ana.app", r"/Applications/path_\w{16}"),
        ("apps", "path", r"C:\Users\ana\x.exe", r"C:\\Users\\path_\w{16}"),
        ("apps", "path", "ana", r"path_\w{16}"),
        ("prism_transparency_database", "application", "us.zoom.xos", r"us\.zoom\.xos"),
        ("prism_transparency_database", "application", "/Users/ana/x", r"/Users/path_\w{16}"),
        ("prism_transparency_database", "application", "ana.von.berg", r"path_\w{16}"),
        ("device_details", "lost_mode", '{"phone":"+49 1"}', r'"text_\w{16}"'),
        ("devices", "extra", '{"note":{"who":"Ana"},"gone":null}', r'\{"note":"text_\w{16}","gone":null\}'),
        ("devices", "extra", '["Ana"]', r'"text_\w{16}"'),
        ("devices", "serial_number", "C02", "C02"),
    ],
)
def test_what_a_pseudonym_looks_like(
    con: duckdb.DuckDBPyConnection, table: str, column: str, value: str, pattern: str
) -> None:
    assert re.fullmatch(pattern, shown(con, table, column, value))


def test_an_address_has_one_pseudonym_in_any_case(con: duckdb.DuckDBPyConnection) -> None:
    seen = {shown(con, "users", "email", "Ana@Example.com"), shown(con, "devices", "user_email", "ana@example.com")}
    assert len(seen) == 1


def test_nothing_stays_nothing(con: duckdb.DuckDBPyConnection) -> None:
    columns = [(r.name, c) for r in resources().values() for c in r.columns]
    values = ", ".join(masked(c, f"NULL::{c.kind}") for _, c in columns)
    assert set(con.execute(f"SELECT {values}").fetchall()[0]) == {None}


def test_history_masks_as_tables_do(con: duckdb.DuckDBPyConnection) -> None:
    """Each text and document of each table, and a column that no table has."""
    columns = [(r.name, c) for r in resources().values() for c in r.columns if c.kind in (Kind.TEXT, Kind.DOCUMENT)]
    texts = {Kind.TEXT: "'/Users/Ana@x'", Kind.DOCUMENT: """'{"a":"Ana"}'"""}
    rows = ", ".join(f"('{table}', '{c.name}', {texts[c.kind]})" for table, c in columns)
    cells = con.execute(f"SELECT {masked_cell('t', 'c', 'v')} FROM (VALUES {rows}) AS x(t, c, v)").fetchall()
    values = ", ".join(masked(c, f"{texts[c.kind]}::{c.kind}") + "::VARCHAR" for _, c in columns)
    assert [cell for (cell,) in cells] == list(con.execute(f"SELECT {values}").fetchall()[0])
    unknown = masked_cell("'apps'", "'of_another_version'", "'Ana'")
    assert con.execute(f"SELECT {unknown}").fetchall()[0][0].startswith("text_")


# -- the key -------------------------------------------------------------------------------------------------------


def test_a_home_keeps_its_key_and_no_two_share_one(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    key = key_of(tmp_path)
    assert key_of(tmp_path) == key != key_of(tmp_path / "other")
    assert (tmp_path / "privacy.key").stat().st_mode & 0o777 == 0o600
    assert key.secret.hex() not in repr(key) + key.name


def test_a_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "privacy.key").write_bytes(b"short")
    with pytest.raises(ConfigurationError, match="5 bytes; a key has 32"):
        run_sync(tmp_path, make_tenant(3), "tags", privacy=Privacy.AGENTS)


@pytest.mark.many
@pytest.mark.heavy
@pytest.mark.parametrize("mode", [Privacy.AGENTS, Privacy.ON])
def test_a_lost_key_gives_all_tables_new_pseudonyms(tmp_path: Path, mode: Privacy) -> None:
    tenant = make_tenant(6)
    run_sync(tmp_path, tenant, *FEW, privacy=mode)
    before = _people(tmp_path)
    (tmp_path / "privacy.key").unlink()
    run_sync(tmp_path, tenant, *FEW, privacy=mode)
    after = _people(tmp_path)
    assert len(after) == len(before) > 0
    assert after.isdisjoint(before)
    assert _joined(tmp_path) > 0


# -- masked copies ------------------------------------------------------------------------------------------------


@pytest.mark.heavy
def test_a_twin_that_was_patched_equals_one_made_anew(tmp_path: Path) -> None:
    table = "prism_local_users"
    tenant = make_tenant(30)
    run_sync(tmp_path, tenant, "devices", table, privacy=Privacy.AGENTS)
    macs = [device for device in tenant.world.device_ids() if tenant.world.devices[device].platform == "Mac"]
    tenant.world.change_rows(macs[0], "local_users", 1)
    tenant.world.add_row(macs[1], "local_users")
    first = manifest_of(tmp_path).tables[table]
    run_sync(tmp_path, tenant, table, everything=False, privacy=Privacy.AGENTS)
    second = manifest_of(tmp_path).tables[table]
    assert (second.method, second.file != first.file) == ("increment", True)
    assert _rows(tmp_path, table, second.masked_file) == _masked_rows(tmp_path, table, second.file)


@pytest.mark.heavy
def test_reading_and_masking_costs_no_more_requests(tmp_path: Path) -> None:
    spent = {}
    for mode in Privacy:
        tenant = make_tenant(5)
        run_sync(tmp_path / mode, tenant, *FEW, privacy=mode)
        spent[mode] = len(tenant.requests)
    assert len(set(spent.values())) == 1


@pytest.mark.heavy
def test_a_damaged_masked_copy_is_passed_over_by_those_who_read_it_and_made_anew(tmp_path: Path) -> None:
    tenant = make_tenant(6)
    for _ in range(2):
        run_sync(tmp_path, tenant, "devices", privacy=Privacy.AGENTS)
        tenant.world.advance()
    copy = data_dir(tmp_path) / str(manifest_of(tmp_path).tables["devices"].masked_file)
    copy.write_bytes(b"cut")
    with Reader(tmp_path, masked=True) as reader, Reader(tmp_path) as people:
        assert reader.run("SELECT count(*) FROM devices WHERE user_id LIKE 'person_%'").rows != [(0,)]
        assert any(copy.name in warning for warning in reader.warnings)
        people.run("FROM devices")
        assert people.warnings == []
    run_sync(tmp_path, tenant, "users", privacy=Privacy.AGENTS)
    with Reader(tmp_path, masked=True) as reader:
        reader.run("FROM devices")
        assert reader.warnings == []


# -- other modes ---------------------------------------------------------------------------------------------------


@pytest.mark.heavy
def test_what_is_not_masked_yet_is_refused_until_the_next_sync(tmp_path: Path) -> None:
    tenant = make_tenant(6)
    run_sync(tmp_path, tenant, *FEW)
    tenant.world.advance(2)
    run_sync(tmp_path, tenant, *FEW)
    with Reader(tmp_path, masked=True) as reader:
        for sql in ("FROM devices", "FROM fleet", "SELECT count(*) FROM changes", "SUMMARIZE users"):
            with pytest.raises(NotMasked, match=r"not masked yet.*kandji-mirror sync"):
                reader.run(sql)
        assert reader.run("SELECT count(*) FROM apps").rows == [(0,)]  # of which there are no rows at all
    run_sync(tmp_path, tenant, "tags", privacy=Privacy.AGENTS)
    with Reader(tmp_path, masked=True) as reader, Reader(tmp_path) as full:
        changed = "SELECT count(*), count(DISTINCT old_value) FROM changes WHERE table_name = 'devices'"
        assert reader.run(changed).rows == full.run(changed).rows != [(0, 0)]
    assert _people(tmp_path)


@pytest.mark.heavy
def test_turned_on_nothing_full_is_left_and_history_stays(tmp_path: Path) -> None:
    tenant = Planted(make_tenant(6))

    def read(*names: str, mode: Privacy = Privacy.OFF) -> None:
        client = client_of(tenant.handle, tenant.fetch)
        record_run(tmp_path, sync(tmp_path, "loopback", client, names=names, privacy=mode))

    for _ in range(2):
        read(*FEW)
        tenant.tenant.world.rename(tenant.tenant.world.device_ids()[0], "Somebody's Mac")
    assert len(files_with_needles(tmp_path)) > len(FEW)
    asked = len(tenant.tenant.requests)
    read("tags", mode=Privacy.ON)
    assert len(tenant.tenant.requests) == asked + 1
    assert files_with_needles(tmp_path) == []
    assert [file.name for file in tmp_path.rglob("*.duckdb") if columns_with_needles(file)] == []
    with Reader(tmp_path, masked=True) as reader:
        changed = reader.run("SELECT old_value, new_value FROM changes WHERE column_name = 'device_name'").rows
    assert [re.sub("_.*", "", str(value)) for row in changed for value in row] == ["device", "device"]
    assert len(generations(tmp_path)) <= 2  # the one that masks, and the one of this sync


@pytest.mark.heavy
def test_turned_off_again_everything_is_read_anew(tmp_path: Path) -> None:
    tenant = make_tenant(6)
    run_sync(tmp_path, tenant, *FEW, privacy=Privacy.ON)
    with Reader(tmp_path) as reader:
        assert any("with pseudonyms" in note for note in reader.run("FROM devices").notes)
    with open_store(tmp_path, "loopback", resources()) as store:
        assert all(is_due(store.current.tables[name], resource(name), store.wall()) for name in FEW)
    run_sync(tmp_path, tenant, *FEW)
    assert differing(tmp_path, tenant.world, tables=FEW) == []
    with Reader(tmp_path) as reader:
        assert reader.run("SELECT count(*) FROM changes WHERE table_name = 'devices'").rows == [(0,)]


@pytest.mark.heavy
def test_a_person_who_is_gone_goes_though_nobody_can_be_asked_by_a_pseudonym(tmp_path: Path) -> None:
    tenant = make_tenant(6)
    run_sync(tmp_path, tenant, "users", privacy=Privacy.ON)
    before = manifest_of(tmp_path).tables["users"].rows
    gone = next(iter(tenant.world.user_ids()))
    tenant.world.remove_user(gone)
    asked = len(tenant.requests)
    run_sync(tmp_path, tenant, "users", privacy=Privacy.ON)
    assert manifest_of(tmp_path).tables["users"].rows == before - 1
    assert {request.path for request in list(tenant.requests)[asked:]} == {"/api/v1/users"}  # nobody is asked for


def test_what_is_masked_as_asked_is_nothing_that_a_strict_answer_or_an_export_complains_of(tmp_path: Path) -> None:
    tenant = make_tenant(3)
    run_sync(tmp_path, tenant, "tags", privacy=Privacy.ON)
    strict = Requirements(strict=True)
    with Reader(tmp_path, masked=True, requirements=strict) as reader:
        assert reader.run("FROM tags").rows
    options = ExportOptions(requirements=strict)
    assert export(tmp_path, ["tags"], "csv", tmp_path / "out", options, masked=True).notes == ()
    with Reader(tmp_path, requirements=strict) as reader, pytest.raises(NotFresh, match="so with pseudonyms"):
        reader.run("FROM tags")


def test_whoever_goes_on_after_a_kill_removes_what_was_to_be_removed(tmp_path: Path) -> None:
    tenant = make_tenant(3)
    run_sync(tmp_path, tenant, "tags", privacy=Privacy.ON)
    for left in (data_dir(tmp_path) / "users.00000001.duckdb", history_dir(tmp_path) / "00000001.duckdb"):
        left.write_text(NEEDLE)
    (tmp_path / "store" / "privacy.purge").touch()
    run_sync(tmp_path, tenant, "tags", privacy=Privacy.ON)
    assert files_with_needles(tmp_path) == []
    assert not (tmp_path / "store" / "privacy.purge").exists()


# -- memory and spilling -------------------------------------------------------------------------------------------


def test_a_held_export_comes_out_as_it_went_in() -> None:
    lines = [f'{i},"a ""quoted""\nline {"x" * (i * 7 % 60)}"\n' for i in range(2_000)]
    text = ("id,name\n" + "".join(lines)).encode()
    held = MemorySource(piece=5_000)
    with held.open("wb") as file:
        for start in range(0, len(text), 777):
            file.write(text[start : start + 777])
    pieces = list(held.chunks())
    assert b"".join(pieces) == text
    assert len(pieces) > 10
    assert all(piece.endswith(b"\n") and piece.count(b'"') % 2 == 0 for piece in pieces)


@pytest.mark.many
def test_only_masked_rows_are_ever_spilled(tmp_path: Path) -> None:
    """Too many rows for the memory there is: what DuckDB puts into its temporary files meanwhile tells nothing."""
    spill, seen = tmp_path / "spill", set[bytes]()
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.2):
            for file in spill.glob("*"):
                seen.add(_bytes_of(file))

    with (
        ThreadPoolExecutor(1) as watcher,
        ExitStack() as ending,
        Engine(spill, memory_mb=160, key=Key(SECRET)) as engine,
    ):
        ending.callback(done.set)
        watching = watcher.submit(watch)
        with Staging(resource("users"), tmp_path / "scratch", engine=engine, masked=True) as staging:
            for start in range(0, 20_000, 50):
                staging.add(_page(range(start, start + 50)))
            staging.flush()
            with suppress(StoreFull):  # whether it can be sorted in so little memory is not the question
                staging.write(tmp_path / "users.duckdb")
    watching.result()
    assert max(map(len, seen), default=0) > 100_000
    assert not any(map(is_in, seen))
    padded = bytes(byte ^ 0x36 for byte in SECRET.ljust(64, b"\0"))  # as HMAC mixes the key in
    assert not any(padded in data for data in seen)
    assert not is_in((tmp_path / "scratch").read_bytes())


def _page(numbers: range) -> str:
    """People in no order, with long texts that are not personal."""
    ids = [sha256(str(number).encode()).hexdigest() for number in numbers]
    return json.dumps({"data": [{"id": i, "name": f"{NEEDLE} {i}", "department": i * 40} for i in ids]})


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""  # gone already


def _people(home: Path) -> set[object]:
    with Reader(home, masked=True) as reader:
        rows = reader.run("SELECT user_id FROM devices WHERE user_id IS NOT NULL").rows
    assert all(str(person).startswith("person_") for (person,) in rows)
    return {person for (person,) in rows}


def _joined(home: Path) -> Any:
    with Reader(home, masked=True) as reader:
        return reader.run("SELECT count(*) FROM devices AS d JOIN users AS u ON u.id = d.user_id").rows[0][0]


def _rows(home: Path, table: str, file: str | None) -> list[tuple[Any, ...]]:
    with duckdb.connect(data_dir(home) / str(file), read_only=True) as con:
        return sorted(con.execute(f"FROM {table}").fetchall(), key=repr)


def _masked_rows(home: Path, table: str, file: str | None) -> list[tuple[Any, ...]]:
    """The rows of a full file, masked here."""
    with duckdb.connect() as con:
        install(con, key_of(home))
        con.execute(f"ATTACH '{data_dir(home) / str(file)}' AS full_file (READ_ONLY)")
        values = ", ".join(masked(c, f'"{c.name}"') for c in resource(table).columns)
        return sorted(con.execute(f"SELECT {values} FROM full_file.{table}").fetchall(), key=repr)
