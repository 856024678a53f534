"""A chart before anyone drew it: an answer, what it is called, what it says, and which picture fits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kandji_queries.charts.hint import ChartHint


@dataclass(frozen=True)
class Chart:
    """The rows of an answer with the hint that tells how they are drawn.

    ``columns`` are the names of the answer's columns, ``rows`` have a cell for each: what DuckDB or JSON gives.
    ``dated`` is the line that tells its date; files have it in the picture, pages beside it.
    """

    title: str
    sentence: str
    hint: ChartHint
    columns: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]
    dated: str = ""
