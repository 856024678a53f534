"""One line of a benchmark's result."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """``ours`` against ``limit`` in ``unit``; ``wanted`` is the target for the ratio, as text."""

    name: str
    ours: float
    limit: float
    unit: str
    wanted: str

    def __str__(self) -> str:
        ratio = f"{self.ours / self.limit:.2f}" if self.limit else "-"
        limit = f"{self.limit:,.0f} {self.unit}" if self.limit else "-"
        return f"{self.name:<44} {f'{self.ours:,.0f} {self.unit}':>14} {limit:>14} {ratio:>7}  {self.wanted}"
