"""What the rows of a document are on their way: fields of the feed by table, with what was odd beside them."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Row = dict[str, Any]


@dataclass
class FeedRows:
    """Rows by table, gathered while a document is gone through; ``made_at`` is when it says that it was made."""

    tables: dict[str, list[Row]]
    made_at: datetime | None = None
    odd: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)

    def objects(self, table: str, value: Any) -> Iterator[Row]:
        """Yield the objects of a list; whatever else is in it, or in its place, is counted as odd of the table."""
        if not isinstance(value, list):
            self.odd[table] += value is not None
            return
        for member in value:
            if isinstance(member, dict):
                yield member
            else:
                self.odd[table] += 1

    def note_unknown(self, found: Mapping[str, Any], known: frozenset[str]) -> None:
        """Count the fields of an object that nobody knows."""
        self.unknown.update(name for name, value in found.items() if name not in known and value is not None)


def texts_of(value: Any) -> list[str] | None:
    """Return a list of texts; None for anything else."""
    return value if isinstance(value, list) and all(isinstance(one, str) for one in value) else None


def mapping_of(value: Any) -> Mapping[str, Any]:
    """Return an object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def list_of(value: Any) -> list[Any]:
    """Return a list; an empty one for anything else."""
    return value if isinstance(value, list) else []


def moment_of(value: Any) -> datetime | None:
    """Return a moment, aware UTC; None for anything that cannot be read as one."""
    try:
        found = datetime.fromisoformat(value)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError):
        return None
