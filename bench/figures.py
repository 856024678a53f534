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
        limit = self._amount(self.limit) if self.limit else "-"
        return f"{self.name:<44} {self._amount(self.ours):>14} {limit:>14} {ratio:>7}  {self.wanted}"

    def _amount(self, value: float) -> str:
        return f"{value:,.{0 if abs(value) >= 10 else 2}f} {self.unit}"
