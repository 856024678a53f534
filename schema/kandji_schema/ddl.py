"""DuckDB DDL of a table, compiled from its SQLModel class."""

from functools import cache
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql.base import PGDDLCompiler, PGDialect, PGIdentifierPreparer, PGTypeCompiler
from sqlalchemy.schema import CreateTable, SetColumnComment, SetTableComment
from sqlmodel import SQLModel

from kandji_schema.resource import Resource


class _Types(PGTypeCompiler):
    """PostgreSQL's spelling where it is DuckDB's too; FLOAT would be 32 bits wide in DuckDB."""

    def visit_FLOAT(self, type_: Any, **kw: Any) -> str:
        return "DOUBLE"

    def visit_TIMESTAMP(self, type_: Any, **kw: Any) -> str:
        return "TIMESTAMP"


class _Statements(PGDDLCompiler):
    """Without keys and constraints: an index costs 2.6 times the file and reads gain nothing, by measurement."""

    def create_table_constraints(self, table: Any, _include_foreign_key_constraints: Any = None, **kw: Any) -> str:
        return ""


class _Identifiers(PGIdentifierPreparer):
    """Quote every name: DuckDB reserves other words than PostgreSQL."""

    def _requires_quotes(self, value: str) -> bool:
        return True


class _DuckDB(PGDialect):
    ddl_compiler = _Statements
    type_compiler_cls = _Types
    preparer = _Identifiers


def statements(resource: Resource) -> tuple[str, ...]:
    """Return ``CREATE TABLE`` of the resource, then one ``COMMENT ON`` for the table and each column."""
    return _statements(resource.model, resource.description)


@cache
def _statements(model: type[SQLModel], description: str) -> tuple[str, ...]:
    """Compile them once: they are asked for many times in a run, and SQLAlchemy takes some 15 ms."""
    dialect = _DuckDB()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves its dialects' __init__ unannotated
    table: Table = model.__table__  # type: ignore[attr-defined]  # set by SQLModel on every table class
    table.comment = description
    elements = [CreateTable(table), SetTableComment(table), *map(SetColumnComment, table.columns)]
    return tuple(_compile(element, dialect) for element in elements)


def _compile(element: Any, dialect: PGDialect) -> str:
    return str(element.compile(dialect=dialect)).strip()
