"""What an answer turned out to be, for what is said of it afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from kandji_queries.results.result import Row

DEVICE = "device_id"


@dataclass
class Outcome:
    """Rows as they came: how many, and the identifiers of the devices they list, where they list any.

    ``is_blank`` tells that the only row counts nothing: zeros and NULLs.
    """

    place: int | None = None
    rows: int = 0
    is_blank: bool = False
    truncated: bool = False
    devices: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, columns: Sequence[str]) -> "Outcome":
        """Return the outcome, before any row, of an answer with these columns."""
        return cls(columns.index(DEVICE) if DEVICE in columns else None)

    @property
    def has_nothing(self) -> bool:
        """Whether there are no rows, or one that counts nothing."""
        return not self.rows or self.is_blank

    @property
    def listed(self) -> set[str] | None:
        """The devices that all rows together list; None where they list none or some rows are cut off."""
        return None if self.place is None or self.truncated else self.devices

    def add(self, rows: Sequence[Row]) -> None:
        """Take some rows in."""
        self.is_blank = self.rows + len(rows) == 1 and (
            self.is_blank or (bool(rows) and all(map(_is_no_more, rows[0])))
        )
        self.rows += len(rows)
        if self.place is not None:
            place = self.place
            self.devices.update(row[place] for row in rows if isinstance(row[place], str))


def _is_no_more(value: object) -> bool:
    return value is None or (isinstance(value, int | float | Decimal) and not value)
