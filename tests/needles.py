"""A tenant with a needle in every field that is personal, and the searches for needles in what a mirror leaves."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from kandji_schema.columns import Column, Kind
from kandji_schema.http import Request, Response, Target
from kandji_schema.registry import tenant_tables
from kandji_schema.resource import Resource
from kandji_simulator import Tenant

NEEDLE = "Zq9Needle"
DENORMALISED = ("device__name", "device__user_name", "device__user_email")
"""Fields in which Prism repeats people in every row of every category."""


class Planted:
    """The two entry points of a tenant, with needles in what comes through."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant

    def handle(self, request: Request) -> Response:
        """Answer a request."""
        answer = self.tenant.handle(request)
        found = [r for r in tenant_tables().values() if _answers(r.path, request.path)]
        if answer.status != 200 or not found:
            return answer
        body = json.loads(answer.body)
        for row in _rows(body, found[0]):
            for resource in found:
                plant(row, resource)
        return replace(answer, body=json.dumps(body, ensure_ascii=False).encode())

    def fetch(self, url: str, target: Target) -> None:
        """Download an export."""
        whole = _Memory()
        self.tenant.fetch(url, whole)
        resource = next(r for r in tenant_tables().values() if r.category and f"-{r.category}-" in url)
        rows = list(csv.DictReader(io.StringIO(whole.getvalue().decode(), newline="")))
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, [*rows[0], "strange_field"], lineterminator="\n")
        writer.writeheader()
        for row in rows:
            plant(row, resource)
            writer.writerow(row)
        with target.open("wb") as file:
            file.write(text.getvalue().encode())


class _Memory(io.BytesIO):
    def open(self, _mode: str) -> "_Memory":
        return self

    def unlink(self) -> None:
        self.truncate(0)

    def __exit__(self, *_: object) -> None:
        """It is read afterwards."""


def plant(row: dict[str, Any], resource: Resource) -> None:
    """Put a needle into every personal field of a row, into one nobody knows, and where people are repeated."""
    for column in resource.columns:
        if column.personal and column.name != "extra":
            _plant(row, column, column.sources[0])
    row["strange_field"] = f"{NEEDLE} of a field that has no column"
    if resource.category:
        row.update({name: _text(row[name], name) for name in DENORMALISED if row.get(name)})


def _plant(row: dict[str, Any], column: Column, source: str) -> None:
    *objects, name = source.split(".")
    for step in objects:
        inner = row.get(step)
        row[step] = row = inner if isinstance(inner, dict) else {}
    if column.kind is Kind.DOCUMENT:
        row[name] = _document(row.get(name))
    elif not column.key or row.get(name):
        row[name] = _text(row.get(name), name)


def _text(value: Any, name: str) -> str:
    """Equal where the value was: people are joined by it. Where there was none it is the same for every row."""
    return value if isinstance(value, str) and value.startswith(NEEDLE) else f"{NEEDLE} {value or name}"


def _document(value: Any) -> Any:
    if isinstance(value, list):
        return [*value, {"name": NEEDLE}]
    return {**(value if isinstance(value, dict) else {}), "who": {"deep": [NEEDLE]}}


def _answers(path: str, asked: str) -> bool:
    """Whether a path with names in braces is the one asked for."""
    pairs = list(zip(path.split("/"), asked.split("/"), strict=False))
    return path.count("/") == asked.count("/") and all(a == b or a.startswith("{") for a, b in pairs)


def _rows(body: Any, resource: Resource) -> list[dict[str, Any]]:
    found = body.get(resource.rows_at) if resource.rows_at and isinstance(body, dict) else body
    for name in ("results", "data"):
        found = found[name] if isinstance(found, dict) and isinstance(found.get(name), list) else found
    return [row for row in (found if isinstance(found, list) else [found]) if isinstance(row, dict)]


def is_in(data: bytes) -> bool:
    """Whether there is a needle, in any case."""
    return NEEDLE.lower().encode() in data.lower()


def files_with_needles(folder: Path) -> list[str]:
    """Files whose bytes hold a needle."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and is_in(path.read_bytes()))


def columns_with_needles(file: Path) -> set[str]:
    """Columns of a DuckDB file with a needle in some row: what its compressed bytes may hide."""
    with duckdb.connect(file, read_only=True) as con:
        return {f"{table}.{column}" for table, column in _columns(con) if _has_needle(con, table, column)}


def _columns(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    return con.execute("SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal").fetchall()


def _has_needle(con: duckdb.DuckDBPyConnection, table: str, column: str) -> bool:
    sql = f"""SELECT 1 FROM "{table}" WHERE contains(lower("{column}"::VARCHAR), lower('{NEEDLE}')) LIMIT 1"""
    return bool(con.execute(sql).fetchall())
