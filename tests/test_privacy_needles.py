"""No name is left where none may be: a needle in every personal field, and searches of all that a mirror leaves."""

import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from mcp_calls import SHOWS, Call, calls, opened, said
from needles import NEEDLE, Planted, columns_with_needles, files_with_needles, is_in
from support import client_of, make_tenant, manifest_of, mirrored, slow_but

from kandji_mcp_server.apps.views import KEY
from kandji_mirror.report import Report
from kandji_mirror.state import record_run
from kandji_mirror.sync.run import sync
from kandji_queries.catalog.queries import catalog
from kandji_queries.reader import Reader
from kandji_schema.columns import Kind
from kandji_schema.http import Request, Response
from kandji_schema.manifest import data_dir, history_dir
from kandji_schema.privacy import Privacy
from kandji_schema.registry import resources, tenant_tables

# The home of each mode takes half a minute: there is a needle in every column.
pytestmark = pytest.mark.heavy

PERSONAL = {f"{r.name}.{c.name}" for r in tenant_tables().values() for c in r.columns if c.personal}
ROWLESS = {"prism_kernel_extensions.path", "prism_kernel_extensions.extra", "device_parameters.extra"}
"""The simulated fleet has no kernel extensions, and status answers carry no unknown field for parameters."""

DEVICE_TOOLS = ("find_device", "device_profile")

EQUALS = (
    ("devices", "user_id", "users", "id"),
    ("devices", "user_email", "users", "email"),
    ("devices", "user_name", "users", "name"),
    ("devices", "device_name", "prism_device_information", "device_name"),
    ("prism_device_information", "device_user_id", "users", "deprecated_user_id"),
    ("ade_devices", "user_id", "users", "id"),
    ("vulnerability_detections", "device_name", "devices", "device_name"),
)
"""Columns that tell of the same person or device in two tables."""


@dataclass
class Mirrored:
    """A home after a first sync, changes of the world, and a second one."""

    home: Path
    tenant: Planted
    mode: Privacy
    reports: list[Report]
    log: str = ""
    seen_while_reading: frozenset[str] = frozenset()


class Watching(Planted):
    """A tenant that looks into the mirror's temporary files at every request."""

    home: Path
    found: frozenset[str] = frozenset()

    def handle(self, request: Request) -> Response:
        for path in (self.home / "store").rglob("*.tmp*"):
            with suppress(OSError):  # a file that another thread has just removed, or a folder
                self.found |= {path.name} if is_in(path.read_bytes()) else set()
        return super().handle(request)


def read(home: Path, tenant: Planted, mode: Privacy, *names: str) -> Report:
    """One sync, recorded as the command line records it."""
    client = client_of(tenant.handle, tenant.fetch)
    report = sync(home, "loopback", client, names=names, everything=not names, privacy=mode)
    record_run(home, report)
    return report


def lived(home: Path, mode: Privacy) -> Mirrored:
    tenant = Watching(make_tenant(8, apps=110))
    tenant.home = home
    records = _Records()
    logging.getLogger().addHandler(records)
    try:
        first = read(home, tenant, mode)
        tenant.tenant.world.advance(2)
        lists = [r.name for r in tenant_tables().values() if not r.swept]
        second = read(home, tenant, mode, *lists)
    finally:
        logging.getLogger().removeHandler(records)
    return Mirrored(home, tenant, mode, [first, second], "\n".join(records.lines), tenant.found)


class _Records(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.fixture(scope="module")
def agents(tmp_path_factory: pytest.TempPathFactory) -> Mirrored:
    """People see everything, AI clients do not."""
    return lived(tmp_path_factory.mktemp("agents"), Privacy.AGENTS)


@pytest.fixture(scope="module")
def on(tmp_path_factory: pytest.TempPathFactory) -> Mirrored:
    """Nobody does."""
    return lived(tmp_path_factory.mktemp("on"), Privacy.ON)


def every_question() -> Iterator[tuple[str, dict[str, str]]]:
    """Every table, view, past and named query that needs no parameter, by every tool that reads."""
    yield from (
        ("run_sql", {"sql": f"FROM {name}"})
        for name in [*resources(), "fleet", "changes", "changes_by_thing", "removed_rows"]
    )
    yield "run_sql", {"sql": "SELECT * FROM devices_as_of(now()::TIMESTAMP - INTERVAL 1 SECOND)"}
    yield "run_sql", {"sql": "SELECT CAST(user_email AS INTEGER) FROM devices"}
    yield "run_sql", {"sql": "SELECT strptime(device_name, '%Y') FROM devices"}
    yield "run_sql", {"sql": f"SELECT * FROM devices WHERE device_name LIKE '{NEEDLE[:3]}%{NEEDLE[3:]}%'"}
    yield "run_sql", {"sql": "SUMMARIZE devices"}
    for query in catalog().values():
        if not any(param.required for param in query.params):
            yield "run_query", {"name": query.name}
    yield from (("describe_table", {"table": "users"}), ("fleet_overview", {}), ("sync_status", {}), ("changes", {}))
    yield from (("search", {"words": words}) for words in (NEEDLE[:-1], "owner", "phone number"))


def test_the_tenant_has_a_needle_in_every_personal_column(agents: Mirrored) -> None:
    states = [manifest_of(agents.home).tables[name] for name in tenant_tables()]
    found = set().union(*(columns_with_needles(data_dir(agents.home) / str(s.file)) for s in states))
    assert (PERSONAL - found, found - PERSONAL) == (ROWLESS, set())
    assert all(not report.failed for report in agents.reports)
    assert any(outcome.method == "export" for report in agents.reports for outcome in report.outcomes)


def test_what_ai_clients_read_has_none(agents: Mirrored) -> None:
    manifest = manifest_of(agents.home)
    twins = [data_dir(agents.home) / str(s.masked_file) for s in map(manifest.tables.__getitem__, tenant_tables())]
    pasts = [history_dir(agents.home) / str(s.masked_file) for s in manifest.history]
    assert set(manifest_of(agents.home).masked().withheld) == set()
    assert (len(twins), bool(pasts)) == (len(tenant_tables()), True)
    assert [file.name for file in twins + pasts if columns_with_needles(file) or is_in(file.read_bytes())] == []


def test_no_answer_to_an_ai_client_has_one(agents: Mirrored) -> None:
    files = {"names": [*tenant_tables(), "fleet", "changes"], "format": "csv"}
    device = {"device": agents.tenant.tenant.world.device_ids()[0]}
    with opened(agents.home, mirror_privacy="agents") as mirror:
        asked: list[Call] = [("export", files), *((tool, device) for tool in DEVICE_TOOLS), *every_question()]
        answers = calls(mirror, "auto", *asked, extensions=SHOWS)
    assert [said(answer) for answer in answers[:3] if answer.is_error] == []
    assert files_with_needles(agents.home / "exports") == []
    assert [said(answer)[:200] for answer in answers if is_in(answer.model_dump_json(by_alias=True).encode())] == []
    assert sum((answer.meta or {}).get(KEY) is not None for answer in answers) > 50
    assert sum(not answer.is_error for answer in answers) > len(tenant_tables())


def test_people_see_everything_in_that_mode(agents: Mirrored) -> None:
    with Reader(agents.home) as reader:
        ((names,),) = reader.run(f"SELECT count(*) FROM users WHERE name LIKE '{NEEDLE}%'").rows
    assert names > 0


@pytest.mark.many
def test_nothing_in_the_home_has_one_where_nobody_may_see_it(on: Mirrored) -> None:
    assert all(not report.failed for report in on.reports)
    assert any(outcome.method == "export" for report in on.reports for outcome in report.outcomes)
    assert files_with_needles(on.home) == []
    assert {
        file.name: columns_with_needles(file) for file in on.home.rglob("*.duckdb") if columns_with_needles(file)
    } == {}
    assert manifest_of(on.home).history != ()


@pytest.mark.many
def test_nothing_was_on_the_disk_while_it_was_read(on: Mirrored) -> None:
    assert on.seen_while_reading == frozenset()


@pytest.mark.parametrize("mode", slow_but("agents", of=["agents", "on"]))
def test_no_report_and_no_log_line_has_one(mode: str, request: pytest.FixtureRequest) -> None:
    found: Mirrored = request.getfixturevalue(mode)
    assert not is_in(repr(found.reports).encode())
    assert not is_in(found.log.encode())
    assert not is_in((found.home / "state.sqlite").read_bytes())


def test_people_can_be_counted_and_joined_as_before(agents: Mirrored) -> None:
    with Reader(agents.home) as full, Reader(agents.home, masked=True) as masked:
        for one, key, other, match in EQUALS:
            sql = f"SELECT count(*) FROM {one} AS a JOIN {other} AS b ON a.{key} = b.{match}"
            assert masked.run(sql).rows == full.run(sql).rows, sql
            assert masked.run(sql).rows != [(0,)], sql


def test_as_many_values_are_different_as_before(agents: Mirrored) -> None:
    texts = [(r.name, c.name) for r in resources().values() for c in r.columns if c.personal and c.kind is Kind.TEXT]
    with Reader(agents.home) as full, Reader(agents.home, masked=True) as masked:
        for table, column in texts:
            sql = f'SELECT count(DISTINCT "{column}"), count("{column}"), count(*) FROM {table}'
            assert masked.run(sql).rows == full.run(sql).rows, sql


@pytest.mark.many
def test_both_modes_make_the_same_rows(agents: Mirrored, on: Mirrored) -> None:
    """Masked before they are written or after: but for the key, which no two homes share."""
    with Reader(agents.home, masked=True) as one, Reader(on.home, masked=True) as other:
        for table in resources():
            sql = f"SELECT count(*), count(DISTINCT {resources()[table].key[0]}) FROM {table}"
            assert one.run(sql).rows == other.run(sql).rows, table
        names = "SELECT user_email FROM devices WHERE user_email IS NOT NULL"
        assert {row[0] for row in one.run(names).rows}.isdisjoint(row[0] for row in other.run(names).rows)


def test_a_pseudonym_stays_the_same(agents: Mirrored) -> None:
    before = _pseudonyms(agents.home)
    read(agents.home, agents.tenant, Privacy.AGENTS, "devices", "users")
    assert _pseudonyms(agents.home) == before
    assert len(mirrored(agents.home, "devices")) == len(before)


def _pseudonyms(home: Path) -> dict[object, object]:
    with Reader(home, masked=True) as reader:
        return dict(reader.run("SELECT device_id, user_id FROM devices").rows)


@pytest.mark.many
def test_the_key_is_in_no_other_file(agents: Mirrored, on: Mirrored) -> None:
    for home in (agents.home, on.home):
        key = (home / "privacy.key").read_bytes()
        spellings = [key, key.hex().encode(), key.hex().upper().encode()]
        holders = [p.name for p in home.rglob("*") if p.is_file() and any(s in p.read_bytes() for s in spellings)]
        assert holders == ["privacy.key"]
        assert (home / "privacy.key").stat().st_mode & 0o777 == 0o600
