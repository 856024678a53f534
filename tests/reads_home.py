"""A small mirror on disk, for the tests of the reading side: real tables, real files, real manifests."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import duckdb

from kandji_schema.ddl import statements
from kandji_schema.files import write_atomically
from kandji_schema.manifest import Manifest, State, TableState, data_dir, manifest_path, manifests_dir
from kandji_schema.registry import resources

Rows = Sequence[Mapping[str, Any]]

SYNCED = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NOW = datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def device(number: int, **facts: Any) -> dict[str, Any]:
    """A Mac that is well; ``facts`` change it."""
    return {
        "device_id": f"d{number}",
        "device_name": f"Mac {number}",
        "serial_number": f"S{number}",
        "platform": "Mac",
        "model": "MacBook Air",
        "os_version": "15.1",
        "last_check_in": NOW - timedelta(hours=1),
        "first_enrollment": NOW - timedelta(days=100),
        "user_email": f"user{number}@example.org",
        "blueprint_id": "b1",
        "blueprint_name": "Engineering",
        "is_missing": False,
        "is_removed": False,
        "tags": ["lab"],
        **facts,
    }


def publish(
    home: Path,
    rows: Mapping[str, Rows],
    generation: int = 1,
    *,
    keep: Manifest | None = None,
    synced_at: datetime = SYNCED,
    tenant: str = "example",
) -> Manifest:
    """Write one generation: a file for each table of ``rows``; the others as in ``keep``, else never synced."""
    for folder in (data_dir(home), manifests_dir(home)):
        folder.mkdir(parents=True, exist_ok=True)
    never = {
        name: TableState(name=name, ddl=statements(resource), ttl_seconds=300) for name, resource in resources().items()
    }
    states = {**never, **(keep.tables if keep else {})}
    states |= {name: _stored(home, never[name], rows[name], generation, synced_at) for name in rows}
    manifest = Manifest(generation=generation, tenant=tenant, published_at=SYNCED, tables=states)
    write_atomically(manifest_path(home, generation), manifest.to_json())  # readers may be under way
    return manifest


def _stored(home: Path, state: TableState, rows: Rows, generation: int, synced_at: datetime) -> TableState:
    path = data_dir(home) / f"{state.name}.{generation:08d}.duckdb"
    write_file(path, state.name, state.ddl, rows)
    return TableState(
        name=state.name,
        ddl=state.ddl,
        ttl_seconds=300,
        file=path.name,
        bytes=path.stat().st_size,
        rows=len(rows),
        synced_at=synced_at,
        method="full",
        state=State.OK,
        attempted_at=synced_at,
    )


def write_file(path: Path, table: str, ddl: Sequence[str], rows: Rows) -> None:
    """Make a data file of these rows; the same one is made once a process and copied after that."""
    key = (table, *ddl, repr(rows))
    with _MAKING:
        if key not in _MADE:
            _MADE[key] = _made(path, table, ddl, rows)
    path.write_bytes(_MADE[key])


def _made(path: Path, table: str, ddl: Sequence[str], rows: Rows) -> bytes:
    path.unlink(missing_ok=True)
    quoted = str(path).replace("'", "''")
    with _engine().cursor() as con:
        con.execute(f"ATTACH '{quoted}' AS written (STORAGE_VERSION 'v1.5.0')")
        try:
            con.execute(f"USE written; BEGIN; {'; '.join(ddl)}")
            _insert(con, table, rows)
            con.execute("COMMIT; CHECKPOINT written")
        finally:
            con.execute("USE memory; DETACH written")
    return path.read_bytes()


_MAKING = Lock()
"""Held by whoever writes: all do in one engine, under one name."""

_MADE: dict[tuple[str, ...], bytes] = {}


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1})


def _insert(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write all rows by one statement, in their order, the columns that a row does not name NULL."""
    if names := list(dict.fromkeys(name for row in rows for name in row)):
        marks = ", ".join(f"({', '.join('?' * len(names))})" for _ in rows)
        quoted = ", ".join(f'"{name}"' for name in names)
        con.execute(f'INSERT INTO "{table}" ({quoted}) VALUES {marks}', [row.get(n) for row in rows for n in names])


def small_fleet(home: Path) -> Manifest:
    """Three Macs, an iPad, two blueprints, some apps; the posture of two Macs; everything else never synced."""
    return publish(
        home,
        {
            "devices": [device(1), device(2, is_missing=True), device(3), device(4, platform="iPad", tags=None)],
            "blueprints": [{"id": "b1", "name": "Engineering"}, {"id": "b2", "name": "Empty"}],
            "apps": [
                {
                    "device_id": "d1",
                    "name": "zoom.us",
                    "bundle_id": "us.zoom.xos",
                    "version": "6.0",
                    "path": "/A/z.app",
                },
                {"device_id": "d2", "name": "Slack", "bundle_id": "com.slack", "version": "4.9", "path": "/A/s.app"},
            ],
            "prism_filevault": [{"device_id": "d1", "status": True}, {"device_id": "d2", "status": False}],
        },
    )
