"""What tests of the whole mirror share: a sync against a simulated tenant, and the truth worked out in plain Python."""

import json
import os
import re
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import pytest
from filelock import FileLock

from kandji_mirror.api.client import Client
from kandji_mirror.api.rate_limit import Sleep
from kandji_mirror.report import Report
from kandji_mirror.sync.run import sync
from kandji_schema.columns import Column, Kind
from kandji_schema.http import Fetch, Send
from kandji_schema.manifest import Manifest, data_dir, kept
from kandji_schema.registry import resource, tenant_tables
from kandji_simulator import TOKEN, Tenant, World

Rows = list[tuple[Any, ...]]


def make_tenant(devices: int = 50, *, seed: int = 1, apps: int = 10, **facts: Any) -> Tenant:
    """A simulated tenant without rate limits."""
    return Tenant(World(seed, devices, apps_per_device=apps), **{"limits": None, **facts})


class Clock:
    """Time that passes only while someone sleeps."""

    def __init__(self) -> None:
        self._now = 0.0

    def read(self) -> float:
        """Seconds since the test began, in the sleepers' time."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Let so many seconds pass."""
        self._now += seconds


class Unlimited:
    """Permits without a limit."""

    def acquire(self, timeout: float, sleep: Sleep = time.sleep) -> None:
        """Return at once."""


def client_of(send: Send, fetch: Fetch | None = None) -> Client:
    """A client whose waits take no time."""
    clock = Clock()
    return Client(send, TOKEN, Unlimited(), fetch=fetch, clock=clock.read, sleep=clock.sleep, jitter=lambda: 0.0)


def run_sync(home: Path, tenant: Tenant, *names: str, **facts: Any) -> Report:
    """One run over everything anew, or over the named tables by the cheapest way."""
    client = client_of(tenant.handle, tenant.fetch)
    return sync(home, "loopback", client, names=names, **{"everything": not names, **facts})


def synced(home: Path, devices: int = 50, *names: str, facts: Mapping[str, Any] | None = None, **made: Any) -> Tenant:
    """A tenant as :func:`make_tenant` makes it, and in ``home`` what a first sync of it leaves, some minutes old.

    ``facts`` are those of :func:`run_sync`. The sync is made once in a run of the tests and copied after that. The
    tenant has seen no request yet.
    """
    asked = repr((devices, names, sorted((facts or {}).items()), sorted(made.items())))
    folder = Path(os.environ["TESTS_SHARED"]) / f"synced-{sha256(asked.encode()).hexdigest()[:16]}"
    if not folder.is_dir():
        with FileLock(f"{folder}.lock"):
            if not folder.is_dir():
                begun = folder.with_suffix(".begun")
                assert run_sync(begun, make_tenant(devices, **made), *names, **(facts or {})).failed == ()
                begun.rename(folder)
    shutil.copytree(folder, home, dirs_exist_ok=True)
    return make_tenant(devices, **made)


def refresh(home: Path, tenant: Tenant, **facts: Any) -> Report:
    """One run over every table that is no sweep, by the cheapest way."""
    return run_sync(home, tenant, *(r.name for r in tenant_tables().values() if not r.swept), **facts)


def recorded_runs(home: Path) -> list[dict[str, Any]]:
    """What the record of runs says, one table in one run each, newest first."""
    with closing(sqlite3.connect(home / "state.sqlite")) as con:
        con.row_factory = sqlite3.Row
        return [dict(row) for row in con.execute("SELECT * FROM runs ORDER BY id DESC")]


def slow_but(*quick: Any, of: Iterable[Any], tier: pytest.MarkDecorator = pytest.mark.slow) -> list[Any]:
    """Values for ``parametrize`` of which only some are tried by ``make test``, and all in the ``tier``."""
    return [value if value in quick else pytest.param(value, marks=tier) for value in of]


def manifest_of(home: Path) -> Manifest:
    """The newest manifest."""
    newest = next(kept(home))
    assert isinstance(newest, Manifest)
    return newest


def mirrored(home: Path, table: str, *, volatile: bool = True) -> Rows:
    """All rows of a table as published, sorted, without ``extra``; without ``volatile`` columns where not wanted."""
    file = manifest_of(home).tables[table].file
    if file is None:
        return []
    names = ", ".join(f'"{c.name}"' for c in _own_columns(table, volatile))
    with looking_at(data_dir(home) / file) as con:
        return ordered(con.execute(f'SELECT {names} FROM looked_at.main."{table}"').fetchall())


@contextmanager
def looking_at(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A data file as ``looked_at``, in the one engine of a test process: to start one takes longer than to look."""
    with _engine().cursor() as con:
        quoted = str(file).replace("'", "''")
        con.execute(f"ATTACH '{quoted}' AS looked_at (READ_ONLY)")
        try:
            yield con
        finally:
            con.execute("DETACH looked_at")


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1})


def true_rows(world: World, table: str, *, volatile: bool = True) -> Rows:
    """What the table should hold, from the provider's own rows, sorted."""
    columns = _own_columns(table, volatile)
    return ordered(tuple(_value(column, row) for column in columns) for row in world.truth(table))


def values_of(table: str, row: dict[str, Any]) -> tuple[Any, ...]:
    """One row of the provider as the table should hold it, without ``extra``."""
    return tuple(_value(column, row) for column in resource(table).columns if column.name != "extra")


def ordered(rows: Iterable[tuple[Any, ...]]) -> Rows:
    """Rows in an order that does not depend on types."""
    return sorted(rows, key=repr)


def differing(home: Path, world: World, *, volatile: bool = True, tables: Iterable[str] = ()) -> list[str]:
    """Names of the tables that do not equal the tenant row for row.

    ``volatile`` columns of rows that were only collected again lag behind after increments: the provider does not call
    that a change.
    """
    names = tables or tenant_tables()
    return [n for n in names if mirrored(home, n, volatile=volatile) != true_rows(world, n, volatile=volatile)]


def _own_columns(table: str, volatile: bool = True) -> list[Column]:
    """Without ``extra``, and without ``ordinal``, which the mirror makes up."""
    ours = {"extra", "ordinal"} if resource(table).repeats else {"extra"}
    return [c for c in resource(table).columns if c.name not in ours and (volatile or not c.volatile)]


def _value(column: Column, row: dict[str, Any]) -> Any:
    found = next((v for v in (_dig(row, source) for source in column.sources) if v not in (None, "")), None)
    return None if found is None else column.words.get(str(found)) or _READ[column.kind](found)


def _dig(row: Any, source: str) -> Any:
    for name in source.split("."):
        row = row.get(name) if isinstance(row, dict) else None
    return None if isinstance(row, dict) and source == "enrollment_code" else row  # an object or a text


def _moment(value: Any) -> datetime:
    text = re.sub(r" ([+-]\d\d):?(\d\d)$", r"\1:\2", value)
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)


def _document(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


_READ: dict[Kind, Callable[[Any], Any]] = {
    Kind.TEXT: _text,
    Kind.BOOLEAN: lambda value: {"true": True, "yes": True, "false": False, "no": False}[str(value).lower()],
    Kind.INTEGER: int,
    Kind.NUMBER: float,
    Kind.TIMESTAMP: _moment,
    Kind.TEXTS: list,
    Kind.DOCUMENT: _document,
}
