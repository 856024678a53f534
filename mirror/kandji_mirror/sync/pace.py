"""How old the rows of a table may get before it is read again."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Pace:
    """``ttl`` is the age at which a table is due; ``reason`` says why that is not the declared one, else None."""

    ttl: timedelta
    reason: str | None = None
