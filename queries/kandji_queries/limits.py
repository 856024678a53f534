"""What one answer may cost."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Bounds of one statement and its answer.

    ``seconds`` is time spent in the engine, a slow consumer of the rows does not count. ``memory_mb`` and ``threads``
    belong to the whole engine. ``bytes`` bounds the rows as compact JSON, ``cell_bytes`` one text; None is no bound.
    ``advice`` tells the reader of a cut answer how to get the rest.
    """

    seconds: float = 30.0
    memory_mb: int = 1_024
    threads: int = 2
    rows: int = 1_000_000
    bytes: int | None = None
    cell_bytes: int | None = None
    advice: str = "Aggregate, filter, or name fewer columns."
