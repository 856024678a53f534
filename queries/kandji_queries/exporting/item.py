"""What can be exported."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Item:
    """A table, a view or a named query: ``sql`` over ``tables`` (names of tables and views), with bound ``params``."""

    name: str
    sql: str
    tables: frozenset[str]
    params: Mapping[str, Any] = field(default_factory=dict)
