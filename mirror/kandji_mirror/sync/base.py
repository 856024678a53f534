"""A data file that newer rows are put on."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from kandji_schema.resource import Resource


@dataclass(frozen=True)
class Base:
    """``rows`` in ``path``, complete up to ``watermark``, and up to ``collected`` with what was only collected again.

    ``surplus`` is how many rows the provider counts more than it has rows of different keys; ``built_bytes`` is the
    size of the file when it was last written anew.
    """

    resource: Resource
    path: Path
    rows: int
    watermark: datetime | None
    surplus: int
    built_bytes: int
    collected: datetime | None = None
