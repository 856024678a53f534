"""Statements of the tools themselves: ``sql/<name>.sql``."""

from functools import cache
from pathlib import Path

from kandji_queries import sql_files

HERE = Path(__file__).parent
KEYS = frozenset({"title", "description"})


@cache
def own_statement(name: str) -> str:
    """Read one statement of ours."""
    return sql_files.read(HERE / "sql" / f"{name}.sql", KEYS).sql
